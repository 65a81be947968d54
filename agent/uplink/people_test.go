package uplink_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// outdated refuses an upload with the deeds after those that were known.
func (s *stage) outdated(known latchkey.Head, reason api.Reason, w http.ResponseWriter, r *http.Request) {
	head := api.Head(s.owner.Title().Head())
	answer(w, http.StatusConflict, api.Refusal{
		Request: r.Header.Get(api.HeaderRequest), Error: api.Problem{Reason: reason, Message: "again"},
		Home: s.owner.Home().String(), Head: &head, Deeds: s.owner.Title().Deeds(known.Seq + 1),
	})
}

// sealedTo are the names of those who have an envelope of their own of an object.
func (s *stage) sealedTo(name latchkey.Name, people map[string]*keytest.Person) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for _, e := range s.envelopes[name] {
		for who, p := range people {
			if e.Recipient != sealed.ToEpoch && e.Key == p.Keys.KEM.ID() {
				names = append(names, who)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestEnvelopesForGuests: whoever may see an object by the deeds and the clock has an
// envelope of their own, and nobody else; without a clock that can be believed nobody
// whose rights end.
func TestEnvelopesForGuests(t *testing.T) {
	const minute = 60_000_000
	for name, c := range map[string]struct {
		at   latchkey.Time // after the newest deed
		sure bool
		want []string
	}{
		"a clock that is right":        {minute, true, []string{"every camera", "for now", "link", "this camera"}},
		"a clock past the end":         {3 * minute, true, []string{"every camera", "link", "this camera"}},
		"no clock":                     {0, false, []string{"every camera", "this camera"}},
		"a clock that is not believed": {minute, false, []string{"every camera", "this camera"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			other := s.owner.PlaceCamera(s.agent)
			join := func(d deed.Standing) *keytest.Person { return s.owner.Join(keytest.NewPerson(), d) }
			clips := keytest.AsGuest(s.camera)
			clips.Rights.Kinds = deed.SeesClips
			end := s.owner.Now() + 2*minute + 60_000_000
			people := map[string]*keytest.Person{
				"every camera": join(keytest.AsGuest()), "this camera": join(keytest.AsGuest(s.camera)), "other camera": join(keytest.AsGuest(other)),
				"clips": join(clips), "for now": join(deed.Standing{Role: deed.Guest, Rights: keytest.Rights(end)}),
				"link": s.owner.Lend(keytest.Rights(end+3600_000_000, s.camera)), "resident": join(keytest.AsResident), "gone": join(keytest.AsGuest()),
			}
			object := s.add(latchkey.Thumbnail, "x")
			people["too late"] = join(keytest.AsGuest())
			s.owner.Dismiss(people["gone"])
			at := s.owner.Title().LastTime() + c.at
			if c.at == 3*minute {
				at = end
			}
			s.config.Surely = func(*deed.Title) (latchkey.Time, bool) { return at, c.sure }
			s.run()
			s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
			if diff := cmp.Diff(c.want, s.sealedTo(object, people)); diff != "" {
				t.Errorf("sealed to (-want +got):\n%s", diff)
			}
		})
	}
}

// TestGuestChangesMeanwhile: the epoch stays when a guest comes, goes or is given other
// rights; the envelopes are made anew all the same.
func TestGuestChangesMeanwhile(t *testing.T) {
	s := newStage(t)
	people := map[string]*keytest.Person{"leaves": s.owner.Join(keytest.NewPerson(), keytest.AsGuest()), "stays": s.owner.Join(keytest.NewPerson(), keytest.AsGuest())}
	object := s.add(latchkey.Thumbnail, "x")
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		known := s.owner.Title().Head()
		s.owner.Dismiss(people["leaves"])
		s.outdated(known, api.OldEpoch, w, r)
		return true
	}
	s.run()
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	if diff := cmp.Diff([]string{"stays"}, s.sealedTo(object, people)); diff != "" {
		t.Errorf("sealed to (-want +got):\n%s", diff)
	}
}

// TestHandedOver: what was recorded for those who lived here before is thrown away,
// whether the agent hears of the hand-over before it uploads or by the refusal; what was
// recorded since goes up. The server's word alone moves nothing.
func TestHandedOver(t *testing.T) {
	for name, learns := range map[string]bool{"known before": false, "by the refusal": true} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.add(latchkey.Thumbnail, "of the former people")
			s.add(latchkey.Clip, "of the former people")
			lied := false
			known := s.owner.Title().Head()
			s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
				if f.Header.Binding.Head.Seq >= s.owner.Title().HandedOver() && s.owner.Title().HandedOver() > 0 {
					return false
				}
				if lied && s.owner.Title().HandedOver() == 0 { // now it is true
					s.owner = s.owner.HandOver(keytest.NewPerson())
				}
				lied = true
				s.outdated(known, api.HandedOver, w, r)
				return true
			}
			if !learns {
				s.owner = s.owner.HandOver(keytest.NewPerson())
			}
			s.run()
			s.until("they are thrown away", func() bool { return s.uplink.Status().Discarded == 2 && s.spool.Status().Objects == 0 })
			if n := len(s.kinds()); learns != (n >= 2) {
				t.Errorf("%d uploads were tried", n)
			}
			if st := s.uplink.Status(); st.Retrying != 0 {
				t.Errorf("status %+v", st)
			}
			name := s.add(latchkey.Thumbnail, "of the new people")
			s.until("what is recorded now goes up", func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				return len(s.stored[name]) > 0 && len(s.stored) == 1
			})
			time.Sleep(20 * time.Millisecond)
			if st := s.uplink.Status(); st.Discarded != 2 || st.Uploaded != 1 {
				t.Errorf("status %+v", st)
			}
		})
	}
}
