package sealed_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// seedFiles gives f a part of every vector's file, and fails if there are none: seeds
// that are silently missing are worse than none.
func seedFiles(f *testing.F, part func(file []byte) []byte) {
	f.Helper()
	all, by := readVectors(f)
	if by["go"] < 30 {
		f.Fatalf("%d vectors as seeds, want at least 30", by["go"])
	}
	for _, v := range all {
		if p := part(v.File); len(p) > 0 && len(p) < 8<<10 {
			f.Add(p)
		}
	}
}

// header is the header of a file that is long enough to have one.
func header(file []byte) []byte {
	if len(file) < countAt {
		return nil
	}
	return file[headerAt:countAt]
}

// FuzzParseBinding: what parses is written back as the same bytes, and names one object.
func FuzzParseBinding(f *testing.F) {
	seedFiles(f, func(file []byte) []byte {
		if h := header(file); h != nil {
			return h[2 : 2+sealed.BindingSize]
		}
		return nil
	})
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := sealed.ParseBinding(p)
		if err != nil {
			wantReason(t, err)
			return
		}
		if !bytes.Equal(b.Bytes(), p) {
			t.Fatal("a second spelling of a binding")
		}
		if name, err := latchkey.ParseName(b.Name().String()); err != nil || name != b.Name() {
			t.Fatalf("its name %s is read as %s, %v", b.Name(), name, err)
		}
	})
}

// FuzzParseHeader: what parses is written back as the same bytes.
func FuzzParseHeader(f *testing.F) {
	seedFiles(f, header)
	f.Fuzz(func(t *testing.T, p []byte) {
		h, err := sealed.ParseHeader(p)
		if err != nil {
			wantReason(t, err)
			return
		}
		if !bytes.Equal(h.Bytes(), p) {
			t.Fatal("a second spelling of a header")
		}
	})
}

// FuzzReadFile: what parses is written back as the same bytes, and the body is left
// where it is.
func FuzzReadFile(f *testing.F) {
	seedFiles(f, func(file []byte) []byte { return file })
	f.Fuzz(func(t *testing.T, p []byte) {
		r := bytes.NewReader(p)
		file, err := sealed.ReadFile(r)
		if err != nil {
			wantReason(t, err)
			return
		}
		if prefix := file.Bytes(); len(prefix) > sealed.MaxPrefix || !bytes.Equal(prefix, p[:len(p)-r.Len()]) {
			t.Fatal("a second spelling of a file")
		}
	})
}

// FuzzOpen: no file opens that its agent did not seal, and every refusal has a reason.
func FuzzOpen(f *testing.F) {
	seedFiles(f, func(file []byte) []byte { return file })
	homes := keytest.ReadHomes(homesFile)
	signed := map[string]bool{} // the headers that agents of the homes have made
	all, _ := readVectors(f)
	for _, v := range all {
		signed[string(header(v.File))] = true
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		r := bytes.NewReader(p)
		file, err := sealed.ReadFile(r)
		if err != nil {
			return
		}
		for name, h := range homes {
			var out bytes.Buffer
			err := open.Open(file, r, latchkey.Name{}, h.Title(), h.Ring(), &out)
			switch {
			case err != nil:
				wantReason(t, err)
				if out.Len() > 0 && sealed.ReasonOf(err) != sealed.BadChunk {
					t.Fatalf("%d bytes were given before it was refused: %v", out.Len(), err)
				}
			case !signed[string(file.Header.Bytes())]:
				t.Fatalf("a file that nobody sealed opens in home %s", name)
			}
		}
	})
}

// FuzzParseSettings: what parses is written back as the same bytes.
func FuzzParseSettings(f *testing.F) {
	seedOthers(f, "../settings/testdata/vectors/*/*.json", "document", 30)
	f.Fuzz(func(t *testing.T, p []byte) {
		s, err := sealed.ParseSettings(p)
		if err != nil {
			wantReason(t, err)
			return
		}
		if !bytes.Equal(s.Bytes(), p) {
			t.Fatal("a second spelling of a settings document")
		}
	})
}

// FuzzParseLetter: what parses is written back as the same bytes, and no letter that
// nobody of the homes has written verifies in one of them.
func FuzzParseLetter(f *testing.F) {
	written := seedOthers(f, "../letter/testdata/vectors/*/*.json", "letter", 100)
	homes := keytest.ReadHomes(homesFile)
	f.Fuzz(func(t *testing.T, p []byte) {
		l, err := sealed.ParseLetter(p)
		if err != nil {
			wantReason(t, err)
			return
		}
		if !bytes.Equal(l.Bytes(), p) {
			t.Fatal("a second spelling of a letter")
		}
		for name, h := range homes {
			if err := sealed.VerifyLetter(l, h.Title()); err != nil {
				wantReason(t, err)
			} else if !written[string(p)] {
				t.Fatalf("a letter that nobody wrote verifies in home %s", name)
			}
		}
	})
}

// seedOthers gives f that member of the vectors of another package, and fails if there
// are few of them.
func seedOthers(f *testing.F, pattern, member string, least int) (all map[string]bool) {
	f.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		f.Fatalf("%d vectors as seeds, want at least %d: %v", len(files), least, err)
	}
	all = map[string]bool{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(b, &v); err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		text, _ := v[member].(string) // Go writes no bytes as null
		p, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		if all[string(p)] = true; len(p) < 8<<10 {
			f.Add(p)
		}
	}
	return all
}

func wantReason(t *testing.T, err error) {
	t.Helper()
	if sealed.ReasonOf(err) == "" || sealed.Word(err) == "" {
		t.Fatalf("refused without a reason or a word: %v", err)
	}
}
