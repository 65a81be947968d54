package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// openCommand verifies and opens an exported object without any server.
type openCommand struct {
	File    string `arg:"" help:"The exported object." type:"existingfile"`
	Key     string `help:"The key file, exported from the home's page." placeholder:"KEYFILE" type:"existingfile" xor:"how"`
	Out     string `short:"o" help:"Where to write the content; - is the standard output. Without it the object is checked and opened, and nothing is written."`
	Inspect bool   `help:"Print what anybody can see of the object. Needs no key and verifies nothing." xor:"how"`
	JSON    bool   `name:"json" help:"Print one JSON object."`
}

// Help is the longer text of --help.
func (openCommand) Help() string {
	return `Every check of docs/seal.md is made: that an agent of the home signed the object
for a camera of its own, that not a byte of it was changed, and that the key file's
home is the object's. Exit code 1 means that it was refused.

    latchkey open front-door.latchkey --key home.key -o front-door.mp4`
}

// Validate wants one of the two ways.
func (c openCommand) Validate() error {
	if c.Inspect == (c.Key != "") {
		return errors.New("give --key KEYFILE to verify and open, or --inspect to look from outside")
	}
	if c.Inspect && c.Out != "" {
		return errors.New("--inspect opens nothing, so there is nothing to write to --out")
	}
	if c.JSON && c.Out == "-" {
		return errors.New("--json and the content cannot both go to the standard output")
	}
	return nil
}

// openReport is what --json prints, and what is said in words without it.
type openReport struct {
	V           int               `json:"v"`
	Result      string            `json:"result"` // opened, refused, seen
	Reason      sealed.Reason     `json:"reason,omitempty"`
	Word        string            `json:"word,omitempty"`
	Name        string            `json:"name,omitempty"`
	Home        latchkey.HomeID   `json:"home,omitzero"`
	Camera      latchkey.CameraID `json:"camera,omitzero"`
	Kind        string            `json:"kind,omitempty"`
	Event       latchkey.EventID  `json:"event,omitzero"`
	Time        time.Time         `json:"time,omitzero"`
	Clock       string            `json:"clock,omitempty"`
	AgentKey    latchkey.KeyID    `json:"agent_key,omitzero"`
	Incarnation uint64            `json:"incarnation,omitempty"`
	Sequence    uint64            `json:"sequence,omitempty"`
	Head        string            `json:"head,omitempty"`
	BodyBytes   uint64            `json:"body_bytes,omitempty"`
	Envelopes   []envelopeReport  `json:"envelopes,omitempty"`
	Bytes       int64             `json:"bytes,omitempty"`
	SHA256      string            `json:"sha256,omitempty"`
	Out         string            `json:"out,omitempty"`
}

type envelopeReport struct {
	Recipient string         `json:"recipient"`
	Key       latchkey.KeyID `json:"key"`
	Epoch     latchkey.Epoch `json:"epoch"`
}

// Run opens or inspects.
func (c openCommand) Run(t *terminal) error {
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("open object: %w", err)
	}
	defer file.Close()
	report := openReport{V: 1, Result: "seen"}
	// Not buffered: what follows the prefix is the body, and it is read from the file.
	f, err := sealed.ReadFile(file)
	if err == nil {
		report.describe(f)
		if !c.Inspect {
			err = c.open(&report, t, f, file)
		}
	}
	if reason := sealed.ReasonOf(err); reason != "" {
		report.Result, report.Reason, report.Word = "refused", reason, sealed.Word(err)
		err = fmt.Errorf("%s: %s (%s)", c.File, refusalSentence(reason), reason)
	} else if err != nil {
		return err
	}
	return errors.Join(report.print(t.Out, c), err)
}

func (c openCommand) open(report *openReport, t *terminal, f sealed.File, body io.ReadSeeker) error {
	if info, err := os.Stat(c.Key); err == nil && info.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(t.Err, "latchkey: others on this machine can read %s, which opens everything recorded in the home. Type: chmod 600 %[1]s\n", c.Key)
	}
	home, err := key.LoadHome(c.Key)
	if err != nil {
		return err
	}
	hash := sha256.New()
	write := func(w io.Writer) error {
		counted := &counter{w: io.MultiWriter(w, hash)}
		err := open.Open(f, body, latchkey.Name{}, home.Title, home.Ring, counted)
		report.Bytes = counted.n
		return err
	}
	switch c.Out {
	case "":
		err = write(io.Discard)
	case "-":
		out := bufio.NewWriter(t.Out)
		err = write(out)
		err = errors.Join(err, out.Flush())
	default:
		err = writeNew(c.Out, write)
	}
	if err != nil {
		report.Bytes = 0
		return err
	}
	report.Result, report.Out = "opened", c.Out
	report.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// writeNew writes a file that is there whole or not at all, and replaces none.
func writeNew(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name another file with --out", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s: make it, or name another file with --out", filepath.Dir(path))
	}
	dir, err := durable.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = durable.Write(dir, filepath.Base(path), write)
	return errors.Join(err, dir.Close())
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// describe takes in what anybody can see.
func (r *openReport) describe(f sealed.File) {
	b := f.Header.Binding
	r.Name, r.Home, r.Camera, r.Kind, r.Event = b.Name().String(), b.Home, b.Camera, b.Kind.String(), b.Event
	r.Time, r.Clock = b.Time.Time(), b.Quality.String()
	r.AgentKey, r.Incarnation, r.Sequence, r.Head = b.AgentKey, b.Incarnation, b.Sequence, b.Head.String()
	r.BodyBytes = f.Header.BodyLength
	for _, e := range f.Envelopes {
		r.Envelopes = append(r.Envelopes, envelopeReport{recipientWord(e.Recipient), e.Key, e.Epoch})
	}
}

func recipientWord(k sealed.RecipientKind) string {
	switch k {
	case sealed.ToEpoch:
		return "epoch"
	case sealed.ToPerson:
		return "person"
	case sealed.ToLink:
		return "link"
	}
	return fmt.Sprintf("kind %d", k)
}

func (r *openReport) print(w io.Writer, c openCommand) error {
	switch {
	case c.JSON:
		return json.NewEncoder(w).Encode(r)
	case c.Out == "-" || r.Result == "refused":
		return nil
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s  %s, clock %s\n", r.Kind, r.Time.Format("2006-01-02 15:04:05.000 MST"), r.Clock)
	fmt.Fprintf(out, "home       %s\ncamera     %s\nevent      %s\nname       %s\n", r.Home, r.Camera, r.Event, r.Name)
	fmt.Fprintf(out, "agent key  %s, incarnation %d, sequence %d\nhead       %s\n", r.AgentKey, r.Incarnation, r.Sequence, r.Head)
	fmt.Fprintf(out, "body       %d bytes\n", r.BodyBytes)
	for _, e := range r.Envelopes {
		fmt.Fprintf(out, "envelope   for the %s of key %s, made in epoch %d\n", e.Recipient, e.Key, e.Epoch)
	}
	switch {
	case r.Result == "seen":
		fmt.Fprintln(out, "Nothing of this has been verified. --key KEYFILE verifies and opens.")
	case r.Out == "":
		fmt.Fprintf(out, "Verified and opened: %d bytes, SHA-256 %s. --out FILE writes them.\n", r.Bytes, r.SHA256)
	default:
		fmt.Fprintf(out, "Verified and opened: %d bytes, SHA-256 %s, written to %s.\n", r.Bytes, r.SHA256, r.Out)
	}
	return out.Flush()
}

// refusalSentence says what happened and what to do about it.
func refusalSentence(r sealed.Reason) string {
	switch r {
	case sealed.WrongHome:
		return "it belongs to another home than the key file; use that home's key file"
	case sealed.UnknownHead, sealed.UnknownSigner, sealed.UnknownEpoch:
		return "the key file does not know this part of the home's history; export the key file again, and if that does not help, the object is not genuine"
	case sealed.NoEnvelope:
		return "it holds no envelope for a key of the key file; export the object again, or use a newer key file"
	case sealed.FutureVersion, sealed.UnknownSuite:
		return "it was made by a newer Latchkey; install that one"
	case sealed.OldVersion:
		return "the home takes no objects of this version any more"
	}
	return "it is not what an agent of the home made: it was damaged or altered, so nothing of it is shown; export it again"
}
