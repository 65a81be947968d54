package sealed_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// vector is one file of testdata/vectors (docs/seal.md, "Vectors").
type vector struct {
	Name   string `json:"name"`
	Says   string `json:"says"`
	Home   string `json:"home"`
	Asked  string `json:"asked"`
	File   []byte `json:"file"`
	Expect string `json:"expect"`
	SHA256 string `json:"sha256,omitempty"`
}

// readVectors reads the vectors of both languages.
func readVectors(t testing.TB) (all []vector, by map[string]int) {
	t.Helper()
	return vectors.Read(t, func(v *vector) *string { return &v.Name })
}

// onlyReader hides every other method of a reader.
type onlyReader struct{ io.Reader }

// ways are the ways in which an object file can be opened. All must say the same.
var ways = map[string]func(v vector, h *keytest.Home, asked latchkey.Name) ([]byte, error){
	"from a file": func(v vector, h *keytest.Home, asked latchkey.Name) ([]byte, error) {
		r := bytes.NewReader(v.File)
		return opened(r, r, h, asked)
	},
	"from a stream": func(v vector, h *keytest.Home, asked latchkey.Name) ([]byte, error) {
		r := onlyReader{bytes.NewReader(v.File)}
		return opened(r, r, h, asked)
	},
	"at random": func(v vector, h *keytest.Home, asked latchkey.Name) ([]byte, error) {
		r := bytes.NewReader(v.File)
		f, err := sealed.ReadFile(r)
		if err != nil {
			return nil, err
		}
		body := io.NewSectionReader(bytes.NewReader(v.File), r.Size()-int64(r.Len()), int64(r.Len()))
		at, err := open.NewReaderAt(f, body, body.Size(), asked, h.Title(), h.Ring())
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.NewSectionReader(at, 0, at.Size()))
	},
}

func opened(prefix, body io.Reader, h *keytest.Home, asked latchkey.Name) ([]byte, error) {
	f, err := sealed.ReadFile(prefix)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	err = open.Open(f, body, asked, h.Title(), h.Ring(), &content)
	return content.Bytes(), err
}

// TestVectors opens every vector in every way and compares the reason, or the content.
func TestVectors(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	all, _ := readVectors(t)
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			var asked latchkey.Name
			if v.Asked != "" {
				var err error
				if asked, err = latchkey.ParseName(v.Asked); err != nil {
					t.Fatal(err)
				}
			}
			for way, opens := range ways {
				content, err := opens(v, homes[v.Home], asked)
				have := string(sealed.ReasonOf(err))
				if err == nil {
					have = "opened"
				}
				if have != v.Expect {
					t.Errorf("%s, %s: %s (%v), want %s", v.Says, way, have, err, v.Expect)
				}
				if hash := sha256.Sum256(content); err == nil && hex.EncodeToString(hash[:]) != v.SHA256 {
					t.Errorf("%s, %s: other content", v.Says, way)
				}
			}
			sameAgain(t, v.File)
		})
	}
}

// sameAgain checks that a file which parses is written back as the same bytes.
func sameAgain(t *testing.T, file []byte) {
	t.Helper()
	r := bytes.NewReader(file)
	f, err := sealed.ReadFile(r)
	if err != nil {
		return
	}
	var again bytes.Buffer
	if _, err := f.WriteTo(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), file[:len(file)-r.Len()]) {
		t.Error("a second spelling of an object")
	}
	if b, err := sealed.ParseBinding(f.Header.Binding.Bytes()); err != nil || b != f.Header.Binding {
		t.Errorf("its binding, written and read again: %v", err)
	}
}

// TestVectorsAreMany: vectors that are not there prove nothing, and a format is what
// it refuses.
func TestVectorsAreMany(t *testing.T) {
	all, by := readVectors(t)
	refused := 0
	reasons := map[sealed.Reason]bool{}
	for _, v := range all {
		if v.Expect != "opened" {
			refused++
			reasons[sealed.Reason(v.Expect)] = true
		}
	}
	if by["go"] < 30 || by["ts"] < 30 || len(all) < 60 || refused <= len(all)-refused {
		t.Errorf("%d vectors by Go, %d by TypeScript, %d of them refusals: want 30, 30 and more than half", by["go"], by["ts"], refused)
	}
	for _, r := range reasonList {
		if !reasons[r] {
			t.Errorf("no vector is refused as %s", r)
		}
	}
}

// reasonList is the list in docs/seal.md, which TestReasonsAreThePages compares.
var reasonList = []sealed.Reason{
	sealed.Malformed, sealed.Truncated, sealed.Trailing, sealed.Oversize, sealed.FutureVersion, sealed.UnknownSuite,
	sealed.OldVersion, sealed.WrongHome, sealed.WrongCamera, sealed.WrongDay, sealed.WrongKind, sealed.WrongObject,
	sealed.UnknownHead, sealed.UnknownSigner, sealed.WrongAgent, sealed.FormerSigner, sealed.BadSignature, sealed.WrongHash,
	sealed.NoEnvelope, sealed.UnknownEpoch, sealed.OldEpoch, sealed.BadEnvelope, sealed.Commitment, sealed.BadChunk,
}

func TestReasonsAreThePages(t *testing.T) {
	page, err := os.ReadFile("../docs/seal.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n### Reasons\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	for _, r := range reasonList {
		if quoted := "`" + string(r) + "`"; !strings.Contains(section, quoted) {
			t.Errorf("docs/seal.md does not list the reason %s", r)
		} else {
			section = strings.Replace(section, quoted, "", 1)
		}
	}
	if left := strings.TrimSpace(section); left != "" {
		t.Errorf("docs/seal.md lists what the code does not have: %s", left)
	}
}
