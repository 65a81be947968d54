package uplink_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestComesAtItsTurn: an agent that is told when it is its turn comes then and not before,
// with the place that it was given, and has none when it comes anew.
func TestComesAtItsTurn(t *testing.T) {
	s := newStage(t)
	const wait = 400 * time.Millisecond
	var came []time.Time
	var places []string
	s.gate = func(w http.ResponseWriter, r *http.Request) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		came, places = append(came, time.Now()), append(places, r.Header.Get(api.HeaderPlace))
		if len(came) > 2 {
			return false
		}
		w.Header().Set(api.HeaderPlace, "the place")
		refuse(w, r, http.StatusServiceUnavailable, api.Turn, wait.Milliseconds())
		return true
	}
	s.run()
	s.until("it is let in", func() bool { return s.uplink.Status().State == uplink.Connected })
	s.then <- api.Challenge{} // which does not belong here
	s.until("it comes anew", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(came) > 3 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := []string{"", "the place", "the place", ""}; !slices.Equal(places[:4], want) {
		t.Errorf("it came with %q, want %q", places, want)
	}
	for i := 1; i < 3; i++ {
		if after := came[i].Sub(came[i-1]); after < wait || after > wait+2*time.Second {
			t.Errorf("it was to come after %v and came after %v", wait, after)
		}
	}
}

// TestLeftOutWaitsAlone: what the server leaves out for now, or does not understand yet,
// keeps nothing else waiting.
func TestLeftOutWaitsAlone(t *testing.T) {
	for _, reason := range []api.Reason{api.Spared, api.FutureVersion} {
		t.Run(string(reason), func(t *testing.T) {
			s := newStage(t)
			for range 5 {
				s.add(latchkey.Clip, "another")
			}
			left := s.add(latchkey.Clip, "the newest, which goes first")
			s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
				if name != left {
					return false
				}
				refuse(w, r, http.StatusServiceUnavailable, reason, time.Hour.Milliseconds())
				return true
			}
			s.run()
			s.until("the others are uploaded", func() bool { return s.spool.Status().Objects == 1 })
			if st := s.uplink.Status(); st.Retrying != 1 {
				t.Errorf("the status says nothing of it: %+v", st)
			}
		})
	}
}

// TestSpreadOfAnotherHome: what is said of another home ends the connection, and what is
// said of this one does not.
func TestSpreadOfAnotherHome(t *testing.T) {
	s := newStage(t)
	s.run()
	hellos := func() int { s.mu.Lock(); defer s.mu.Unlock(); return s.hellos }
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	s.then <- api.SpreadFrame{Home: s.owner.Home(), SpreadMS: 10}
	s.then <- api.SpreadFrame{Home: latchkey.HomeID{1}, SpreadMS: 10}
	s.until("it comes anew", func() bool { return hellos() == 2 })
	s.until("it is connected", func() bool { return s.uplink.Status().State == uplink.Connected })
	if n := hellos(); n != 2 {
		t.Errorf("it came %d times, want 2", n)
	}
}
