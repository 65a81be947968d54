package outage

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// The parts of the drill that are processes of their own.
const (
	partCloud  = "cloud"
	partFleet  = "fleet"
	partPeople = "people"
)

// Serve is one of the drill's processes, until in ends: each line of in is an order, and
// each of out what came of one.
func Serve(ctx context.Context, part string, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var do func(ctx context.Context, o order) (any, error)
	switch part {
	case partCloud:
		c := &cloud{}
		defer c.close()
		do = c.do
	case partFleet:
		f := &fleet{}
		defer f.close()
		do = f.do
	case partPeople:
		p := &people{}
		defer p.close()
		do = p.do
	default:
		return fmt.Errorf("the drill has no part %q", part)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var o order
		err := json.Unmarshal(lines.Bytes(), &o)
		var is any
		if err == nil {
			is, err = do(ctx, o)
		}
		a := answer{}
		if err != nil {
			a.Error = err.Error()
		} else if a.Is, err = json.Marshal(is); err != nil {
			return err
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

// maxLine bounds an order and its answer: people with their keys, and a time for each agent.
const maxLine = 64 << 20

// order is what a part is to do.
type order struct {
	Do      string   `json:"do"`
	Data    string   `json:"data,omitempty"`
	Listen  string   `json:"listen,omitempty"`
	Agents  int      `json:"agents,omitempty"`
	Ungated bool     `json:"ungated,omitempty"`
	Arm     string   `json:"arm,omitempty"`
	Place   place    `json:"place"`
	People  []person `json:"people,omitempty"`
	Since   int64    `json:"since,omitempty"` // µs
}

// answer is what came of it.
type answer struct {
	Error string          `json:"error,omitempty"`
	Is    json.RawMessage `json:"is,omitempty"`
}

// process is a part that runs.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

// start starts a part.
func start(cmd *exec.Cmd) (*process, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a part of the drill: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a part of the drill: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a part of the drill: %w", err)
	}
	return &process{cmd, in, json.NewDecoder(out)}, nil
}

// ask gives an order and waits for what comes of it. One at a time.
func (p *process) ask(o order, is any) error {
	if err := json.NewEncoder(p.in).Encode(o); err != nil {
		return fmt.Errorf("ask a part of the drill to %s: %w", o.Do, err)
	}
	var a answer
	if err := p.out.Decode(&a); err != nil {
		return fmt.Errorf("ask a part of the drill to %s: %w", o.Do, err)
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	if is == nil {
		return nil
	}
	return json.Unmarshal(a.Is, is)
}

// end has the part end by itself.
func (p *process) end() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// kill ends the part at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // or it has ended already
	_ = p.in.Close()
	_ = p.cmd.Wait() // which says that it was killed
}
