package live_test

import (
	"bytes"
	"testing"

	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// FuzzMessages: what parses is of the kind that it says and is written back as the same
// bytes, and no viewer is given anything of a message that its agent did not sign.
func FuzzMessages(f *testing.F) {
	n := 0
	all, _ := readVectors(f)
	for _, v := range all {
		for _, m := range v.Messages {
			if len(m.Message) < 8<<10 {
				f.Add(m.Message)
				n++
			}
		}
	}
	if n < 150 { // seeds that are silently missing are worse than none
		f.Fatalf("%d messages as seeds", n)
	}
	title := keytest.ReadHomes(homesFile)["B"].Title()
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, err := sealed.LiveKindOf(b)
		var again []byte
		if k, err := sealed.ParseKnock(b); err == nil {
			again, kind = k.Bytes(), kind-sealed.KnockMessage
		}
		if g, err := sealed.ParseGrant(b); err == nil {
			again, kind = g.Bytes(), kind-sealed.GrantMessage
		}
		if p, err := sealed.ParseFragment(b); err == nil {
			again, kind = p.Bytes(), kind-sealed.FragmentMessage
			if !bytes.HasPrefix(b, p.Header()) || len(p.Header()) != sealed.FragmentHeader {
				t.Error("the header of a fragment is not how it begins")
			}
		}
		if again != nil && (err != nil || kind != 0 || !bytes.Equal(again, b)) {
			t.Errorf("read as another kind, or a second spelling: %v", err)
		}
		if step, err := live.NewViewer(nil, sealed.Stream{}).Take(b, title, moment); err == nil {
			t.Errorf("somebody who has not knocked is told %s", told(step, nil))
		}
	})
}

// FuzzContent: what a grant holds is written back as the same bytes.
func FuzzContent(f *testing.F) {
	f.Add(live.Content(make([]byte, 32), init1080))
	f.Add(live.Content(make([]byte, 32), live.Init{}))
	f.Add(make([]byte, 36))
	f.Fuzz(func(t *testing.T, b []byte) {
		if k, i, err := live.ParseContent(b); err == nil && !bytes.Equal(live.Content(k, i), b) {
			t.Error("a second spelling of what a grant holds")
		}
	})
}
