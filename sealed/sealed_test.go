package sealed_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestWords: only what somebody else asked for is a privacy alarm.
func TestWords(t *testing.T) {
	words := map[string][]sealed.Reason{}
	for _, r := range reasonList {
		w := sealed.Word(fmt.Errorf("open: %w", sealed.Refuse(r, "")))
		words[w] = append(words[w], r)
	}
	delete(words, sealed.Corrupt)
	if diff := cmp.Diff(map[string][]sealed.Reason{
		sealed.Misroute:   {sealed.WrongHome, sealed.WrongCamera, sealed.WrongDay, sealed.WrongKind, sealed.WrongObject},
		sealed.UnknownKey: {sealed.NoEnvelope},
	}, words); diff != "" {
		t.Errorf("words other than corrupt (-want +have):\n%s", diff)
	}
	if w := sealed.Word(io.ErrUnexpectedEOF); w != "" {
		t.Errorf("an error of the disk is called %s", w)
	}
}

// TestReadFileLeavesTheBody: not a byte of the body is taken from the reader, however it
// gives its bytes, so that whoever streams can go on where the prefix ends.
func TestReadFileLeavesTheBody(t *testing.T) {
	o := maker{t, keytest.ReadHomes(homesFile)}.clip()
	for name, r := range map[string]io.Reader{
		"whole":            bytes.NewReader(o.Bytes()),
		"a byte at a time": iotest.OneByteReader(bytes.NewReader(o.Bytes())),
		"with its end":     iotest.DataErrReader(bytes.NewReader(o.Bytes())),
	} {
		f, err := sealed.ReadFile(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(o.File, f); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, o.Body) {
			t.Errorf("%s: %d bytes of the body are left, want %d: %v", name, len(body), len(o.Body), err)
		}
	}
}

// TestErrorsOfTheDisk are no refusals: an object that could not be read is not corrupt.
func TestErrorsOfTheDisk(t *testing.T) {
	o := maker{t, keytest.ReadHomes(homesFile)}.thumbnail()
	broken := errors.New("the disk is gone")
	for n := range bodyAt {
		_, err := sealed.ReadFile(io.MultiReader(bytes.NewReader(o.Bytes()[:n]), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || sealed.ReasonOf(err) != "" {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if err := o.File.Header.CheckBody(iotest.ErrReader(broken)); !errors.Is(err, broken) || sealed.ReasonOf(err) != "" {
		t.Errorf("check the body: %v", err)
	}
}

// TestCheckBody is step 7 alone, as a server makes it.
func TestCheckBody(t *testing.T) {
	o := maker{t, keytest.ReadHomes(homesFile)}.clip()
	for name, c := range map[string]struct {
		body []byte
		want sealed.Reason
	}{
		"the body":    {o.Body, ""},
		"nothing":     {nil, sealed.Truncated},
		"a byte less": {o.Body[:len(o.Body)-1], sealed.Truncated},
		"a byte more": {append(bytes.Clone(o.Body), 0), sealed.Trailing},
		"another":     {flip(o.Body, 100), sealed.WrongHash},
	} {
		for way, r := range map[string]io.Reader{"whole": bytes.NewReader(c.body), "in halves": iotest.HalfReader(bytes.NewReader(c.body))} {
			if err := o.File.Header.CheckBody(r); sealed.ReasonOf(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%s, %s: %v, want %q", name, way, err, c.want)
			}
		}
	}
	h := o.File.Header
	for n, ok := range map[uint64]bool{0: false, 56: false, 71: false, 72: true, 56 + 16400: false, 56 + 16400 + 15: false, 56 + 16400 + 16: true} {
		h.BodyLength = n
		err := h.CheckBody(bytes.NewReader(make([]byte, n)))
		if impossible := sealed.ReasonOf(err) == sealed.Truncated; impossible == ok {
			t.Errorf("a body of %d bytes: %v", n, err)
		}
	}
}

// TestNames: the name that an object is stored under follows from its binding alone.
func TestNames(t *testing.T) {
	o := maker{t, keytest.ReadHomes(homesFile)}.thumbnail()
	b := o.File.Header.Binding
	want := "v1/" + b.Home.String() + "/" + b.Camera.String() + "/2025-03-01/thumbnail/" + b.Object.String()
	if got := o.File.Header.Name().String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	b.Time = latchkey.MaxInt
	if got := b.Name().Day; got != "2255-06-05" {
		t.Errorf("the last day is %s", got)
	}
}
