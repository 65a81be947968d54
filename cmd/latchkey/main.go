// Command latchkey is the whole of Latchkey in one program: the server, the agent
// in the home, the demonstration and the tools.
//
// This file is a table of commands. Each command has a file of its own, in which its
// fields are its usage and its Run method does the work; only main ends the process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the table. A new command is a line here and a file beside this one.
type commands struct {
	Agent    agentCommand    `cmd:"" help:"The home half: record what cameras see, seal it, upload it."`
	Backup   backupCommand   `cmd:"" help:"Copy what a server keeps, while it runs."`
	Demo     demoCommand     `cmd:"" help:"A whole house on this machine, with three painted cameras."`
	Doctor   doctorCommand   `cmd:"" help:"Look whether a machine is fit, and say what to do about what is not."`
	Drill    drillCommand    `cmd:"" help:"Rehearse a disaster, and see in figures whether the promises hold."`
	Export   exportCommand   `cmd:"" help:"Write everything of a home that you may see as ordinary files."`
	Incident incidentCommand `cmd:"" help:"Stop at once what people may see, and release it."`
	Open     openCommand     `cmd:"" help:"Verify and open an exported object, without any server."`
	OpenApp  openAppCommand  `cmd:"" help:"Show an export in the app, at this machine and without the server."`
	Restore  restoreCommand  `cmd:"" help:"Make a server's folder from a backup; its homes are closed until they are confirmed."`
	Server   serverCommand   `cmd:"" help:"The untrusted half: keep what agents seal, and hand it to its home."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// terminal is what a command may read from and write to. Tests hand in buffers.
type terminal struct {
	In       io.Reader
	Out, Err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], &terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// run carries out one command line and returns the exit code: 0 done, 1 the command
// says why not, 2 the command line is wrong.
func run(ctx context.Context, args []string, t *terminal) int {
	var table commands
	exit := -1
	parser, err := kong.New(&table,
		kong.Name("latchkey"),
		kong.Description("A home-camera cloud in which nobody is ever shown a home that is not theirs."),
		kong.Writers(t.Out, t.Err),
		kong.Exit(func(code int) { exit = code }), // kong would end the process after --help
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
	)
	if err != nil {
		panic("internal error: table of commands: " + err.Error())
	}
	command, err := parser.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(t.Err, "latchkey: %v\nTry: latchkey --help\n", err)
		return 2
	}
	err = command.Run()
	if interrupted := ctx.Err() != nil && errors.Is(err, context.Canceled); err != nil && !interrupted {
		fmt.Fprintf(t.Err, "latchkey: %v\n", err)
		return 1
	}
	return 0
}
