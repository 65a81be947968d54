package deed_test

import (
	"bytes"
	"testing"

	"github.com/latchkey-cam/latchkey/deed"
)

// seedDeeds gives f every deed of every vector, and fails if there are none: seeds
// that are silently missing are worse than none.
func seedDeeds(f *testing.F) {
	f.Helper()
	all, by := readVectors(f)
	if by["go"] < 110 {
		f.Fatalf("%d vectors as seeds, want at least 110", by["go"])
	}
	for _, v := range all {
		for _, d := range v.Deeds {
			if len(d) < 8<<10 {
				f.Add(d)
			}
		}
	}
}

// FuzzParse: what parses is written back as the same bytes.
func FuzzParse(f *testing.F) {
	seedDeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := deed.Parse(b)
		if err != nil {
			if deed.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if !bytes.Equal(d.Bytes(), b) {
			t.Fatal("a second spelling of a deed")
		}
	})
}

// FuzzFold: whatever follows a genuine chain, nothing but what its owner signed is
// taken, and no refusal is without its reason.
func FuzzFold(f *testing.F) {
	seedDeeds(f)
	base := draw(f, house)
	title, err := deed.Start(base.deeds...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := title.Append(b); deed.ReasonOf(err) == "" {
			t.Fatalf("a deed that nobody signed: %v", err)
		}
		if title, err := deed.Start(b); err == nil {
			if title.Head().Seq != 0 || title.Home() != deed.Hash(b) {
				t.Fatal("a founding that is not its own home")
			}
		} else if deed.ReasonOf(err) == "" {
			t.Fatalf("refused without a reason: %v", err)
		}
	})
}
