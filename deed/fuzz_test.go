package deed_test

import (
	"bytes"
	"slices"
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
// taken, and no refusal is without its reason. What says something is also signed as the
// owner would: then its rules decide, and whatever is taken leaves the home an owner and
// everybody who sees the whole home in the newest epoch.
func FuzzFold(f *testing.F) {
	seedDeeds(f)
	base := draw(f, guest+" -> invite anna resident -> admit anna -> invite eve to hand over -> invite bob guest -> lend link")
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
		if d, err := deed.Parse(b); err == nil {
			signed(t, base, title, d.Body)
		}
	})
}

// signed appends a statement that the owner signs.
func signed(t *testing.T, h *history, title *deed.Title, b deed.Body) {
	d, err := deed.Sign(h.owner.Signing, title, h.now, b)
	if err != nil {
		t.Fatal(err)
	}
	next, err := title.Append(d)
	if err != nil {
		if deed.ReasonOf(err) == "" {
			t.Fatalf("refused without a reason: %v", err)
		}
		return
	}
	whole := next.WholeHome()
	if !slices.ContainsFunc(whole, func(p deed.Person) bool { return p.Role == deed.Owner }) {
		t.Fatal("a home without an owner")
	}
	if !slices.EqualFunc(next.Wraps(next.Epoch()), whole, func(w deed.Wrap, p deed.Person) bool { return w.Key == p.KEM.ID() }) {
		t.Fatal("an epoch that is not for those who see the whole home")
	}
}
