package sealed_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey"
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
	homes := readHomes(f)
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
	files, err := filepath.Glob("../settings/testdata/vectors/*/*.json")
	if err != nil || len(files) < 30 {
		f.Fatalf("%d vectors as seeds, want at least 30: %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v struct{ Document []byte }
		if err := json.Unmarshal(b, &v); err != nil {
			f.Fatalf("%s: %v", file, err)
		}
		if len(v.Document) < 8<<10 {
			f.Add(v.Document)
		}
	}
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

func wantReason(t *testing.T, err error) {
	t.Helper()
	if sealed.ReasonOf(err) == "" || sealed.Word(err) == "" {
		t.Fatalf("refused without a reason or a word: %v", err)
	}
}
