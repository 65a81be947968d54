package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey/agent"
)

type agentFoundAgain struct {
	Yes bool `help:"Do not ask."`
}

// Help is the longer text of --help.
func (agentFoundAgain) Help() string {
	return `For when every key of the home is lost: all passkeys, passphrases and recovery codes of
all its owners. Whoever stands at this machine founds a new home with the link that is
printed, and the agent joins it with its cameras.`
}

// meansFoundAgain is what the command says before it does anything.
const meansFoundAgain = `This gives the cameras of this agent a new home.

  - What was recorded for the old home stays shut, for you too: its keys are gone.
    What waits here and was not uploaded stays in this folder, and is never uploaded.
  - Nobody of the old home sees what is recorded from now on. Whoever is to see it is
    invited anew.
  - The cameras stay described, and ask to be added to the new home.

If one owner of the old home still has a key, stop here: that owner can let you back in
(in the page: People, Let back in), and nothing is lost.

Type yes to go on: `

// Run founds again.
func (c agentFoundAgain) Run(ctx context.Context, parent *agentCommand, t *terminal) error {
	if !c.Yes {
		fmt.Fprint(t.Err, meansFoundAgain)
		answer, err := readLine(t.In)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if answer != "yes" {
			return errors.New("nothing was done, because the answer was not yes")
		}
	}
	joined, err := agent.FoundAgain(ctx, agent.FoundAgainConfig{
		Folder: parent.Data, Progress: func(sentence string) { fmt.Fprintln(t.Err, sentence) },
		Link: func(text string) {
			fmt.Fprintf(t.Out, `Open this link in a browser, within 30 minutes and once, and let the agent in there:

    %s

Whoever has the link founds the home: show it to nobody. If it does not work any more,
stop this command and run it again.

`, text)
		},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "This agent now belongs to the new home %s.\n", short(joined.Home.String()))
	printHome(t.Out, joined.HomeStatus)
	fmt.Fprint(t.Out, "\nGo on with: latchkey agent run\n")
	return nil
}
