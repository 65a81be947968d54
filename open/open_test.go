package open_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The vectors of sealed/testdata are opened by sealed's test, in every way that this
// package has. Here is what no vector can say.

type stream struct{ io.Reader } // that cannot be read twice

func house(t testing.TB) (*keytest.Owner, *keytest.Agent, latchkey.CameraID) {
	t.Helper()
	o := keytest.NewOwner()
	o.Found()
	a := o.PlaceAgent()
	return o, a, o.PlaceCamera(a)
}

// TestWhatIsSealedOpens: content of any length comes back whole, whatever happens to
// the home's epochs before it is read.
func TestWhatIsSealedOpens(t *testing.T) {
	o, a, camera := house(t)
	rapid.Check(t, func(t *rapid.T) {
		content := make([]byte, rapid.IntRange(0, 50_000).Draw(t, "size"))
		rand.Read(content)
		x := a.Object(o.Title(), camera, latchkey.Clip, content)
		if rapid.Bool().Draw(t, "another epoch") && o.Title().Epoch() < 20 {
			o.StartEpoch()
		}
		var whole bytes.Buffer
		if err := open.Open(x.File, stream{bytes.NewReader(x.Body)}, x.Name(), o.Title(), o.Ring(), &whole); err != nil || !bytes.Equal(whole.Bytes(), content) {
			t.Fatalf("%d of %d bytes, %v", whole.Len(), len(content), err)
		}
		at, err := open.NewReaderAt(x.File, bytes.NewReader(x.Body), int64(len(x.Body)), x.Name(), o.Title(), o.Ring())
		if err != nil || at.Size() != int64(len(content)) {
			t.Fatal(at, err)
		}
		from := rapid.IntRange(0, len(content)).Draw(t, "from")
		part, err := io.ReadAll(io.NewSectionReader(at, int64(from), 1000))
		if err != nil || !bytes.Equal(part, content[from:min(from+1000, len(content))]) {
			t.Fatalf("%d bytes from %d on, %v", len(part), from, err)
		}
	})
}

// TestNothingBeforeTheHash: a member who knows the object's key puts other content
// under a genuine header. Every chunk of it opens; not one byte of it may be given.
func TestNothingBeforeTheHash(t *testing.T) {
	o, a, camera := house(t)
	x := a.Object(o.Title(), camera, latchkey.Clip, make([]byte, 100_000))
	forged := a.Seal(o.Title(), x.File.Header.Binding, bytes.Repeat([]byte("forged "), 20_000))
	f := x.File
	f.Envelopes = forged.File.Envelopes
	for way, body := range map[string]io.Reader{"a file": bytes.NewReader(forged.Body[:len(x.Body)]), "a stream": stream{bytes.NewReader(forged.Body[:len(x.Body)])}} {
		var out bytes.Buffer
		err := open.Open(f, body, x.Name(), o.Title(), o.Ring(), &out)
		if sealed.ReasonOf(err) != sealed.WrongHash || out.Len() > 0 {
			t.Errorf("from %s: %v, and %d bytes were given", way, err, out.Len())
		}
	}
}

// TestRemovedFromTheRing: whoever does not hold the epoch's key opens nothing, whatever
// else is theirs.
func TestRemovedFromTheRing(t *testing.T) {
	o, a, camera := house(t)
	former := o.Ring()
	o.StartEpoch()
	x := a.Object(o.Title(), camera, latchkey.Thumbnail, []byte("new"))
	if err := open.Open(x.File, bytes.NewReader(x.Body), x.Name(), o.Title(), former, io.Discard); sealed.ReasonOf(err) != sealed.NoEnvelope || sealed.Word(err) != sealed.UnknownKey {
		t.Errorf("a former member: %v, want %s", err, sealed.NoEnvelope)
	}
	if err := open.Open(x.File, bytes.NewReader(x.Body), x.Name(), o.Title(), key.Ring{}, io.Discard); sealed.ReasonOf(err) != sealed.NoEnvelope {
		t.Errorf("somebody without keys: %v, want %s", err, sealed.NoEnvelope)
	}
	if err := open.Open(x.File, bytes.NewReader(x.Body), x.Name(), o.Title(), o.Ring(), io.Discard); err != nil {
		t.Errorf("a member: %v", err)
	}
}

// TestErrorsOfTheDisk are not taken for an object that was altered.
func TestErrorsOfTheDisk(t *testing.T) {
	o, a, camera := house(t)
	x := a.Object(o.Title(), camera, latchkey.Clip, make([]byte, 100_000))
	broken := errors.New("the disk is gone")
	open1 := func(body io.Reader, w io.Writer) error {
		return open.Open(x.File, body, x.Name(), o.Title(), o.Ring(), w)
	}
	for name, err := range map[string]error{
		"reading":           open1(iotest.ErrReader(broken), io.Discard),
		"reading on":        open1(io.MultiReader(bytes.NewReader(x.Body[:50_000]), iotest.ErrReader(broken)), io.Discard),
		"reading again":     open1(&once{Reader: bytes.NewReader(x.Body), err: broken}, io.Discard),
		"writing":           open1(bytes.NewReader(x.Body), refuser{broken}),
		"reading at random": at(x, o, &sick{bytes.NewReader(x.Body), broken}),
	} {
		if !errors.Is(err, broken) || sealed.ReasonOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func at(x keytest.Object, o *keytest.Owner, body io.ReaderAt) error {
	_, err := open.NewReaderAt(x.File, body, int64(len(x.Body)), x.Name(), o.Title(), o.Ring())
	return err
}

// TestPipesAreHeld: what says that it can be wound back, and cannot, is read once.
func TestPipesAreHeld(t *testing.T) {
	o, a, camera := house(t)
	x := a.Object(o.Title(), camera, latchkey.Clip, make([]byte, 100_000))
	var out bytes.Buffer
	if err := open.Open(x.File, pipe{bytes.NewReader(x.Body)}, x.Name(), o.Title(), o.Ring(), &out); err != nil || out.Len() != 100_000 {
		t.Errorf("from a pipe: %d bytes, %v", out.Len(), err)
	}
}

// TestCutWhileItIsRead: a file that becomes shorter between the hash and the opening.
func TestCutWhileItIsRead(t *testing.T) {
	o, a, camera := house(t)
	x := a.Object(o.Title(), camera, latchkey.Clip, make([]byte, 100_000))
	for _, left := range []int{10, 56 + 16400} {
		if err := open.Open(x.File, &shrinking{Reader: bytes.NewReader(x.Body), left: x.Body[:left]}, x.Name(), o.Title(), o.Ring(), io.Discard); sealed.ReasonOf(err) != sealed.Truncated {
			t.Errorf("cut to %d bytes: %v, want %s", left, err, sealed.Truncated)
		}
	}
}

// shrinking is shorter when it is wound back.
type shrinking struct {
	*bytes.Reader
	left []byte
}

func (s *shrinking) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		s.Reader = bytes.NewReader(s.left)
	}
	return s.Reader.Seek(offset, whence)
}

// pipe has a Seek that fails.
type pipe struct{ io.Reader }

func (pipe) Seek(int64, int) (int64, error) { return 0, errors.New("illegal seek") }

type refuser struct{ err error }

func (r refuser) Write([]byte) (int, error) { return 0, r.err }

// once can be read, and not wound back.
type once struct {
	*bytes.Reader
	err error
}

func (o *once) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		return 0, o.err
	}
	return o.Reader.Seek(offset, whence)
}

type sick struct {
	*bytes.Reader
	err error
}

func (s *sick) ReadAt(p []byte, off int64) (int, error) {
	if off > 0 {
		return 0, s.err
	}
	return s.Reader.ReadAt(p, off)
}
