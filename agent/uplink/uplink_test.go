package uplink_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

func TestCarriesTheSpool(t *testing.T) {
	s := newStage(t)
	var names []latchkey.Name
	for _, kind := range []latchkey.Kind{latchkey.Clip, latchkey.Description, latchkey.Thumbnail} {
		names = append(names, s.add(kind, strings.Repeat("content", 10_000)[:20_000]))
	}
	var acknowledged []latchkey.Name
	s.config.Acknowledged = func(h sealed.Header) {
		s.mu.Lock()
		defer s.mu.Unlock()
		acknowledged = append(acknowledged, h.Name())
	}
	s.run()
	s.until("everything is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	if st := s.uplink.Status(); st.State != uplink.Connected || st.Uploaded != 3 || st.Trouble != "" {
		t.Errorf("status %+v", st)
	}
	// What comes later is noticed without waiting for a timer.
	names = append(names, s.add(latchkey.Thumbnail, "later"))
	s.until("the later one is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if len(s.stored[name]) == 0 || !slices.Contains(acknowledged, name) {
			t.Errorf("%s is not at the server, or nobody was told", name)
		}
	}
}

// TestUrgentFirst: after an outage the newest picture comes first, and no clip makes a
// picture wait.
func TestUrgentFirst(t *testing.T) {
	s := newStage(t)
	for i := range 3 {
		for _, kind := range []latchkey.Kind{latchkey.Clip, latchkey.Description, latchkey.Thumbnail} {
			s.add(kind, fmt.Sprint(kind, i))
		}
	}
	block := make(chan struct{})
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if name.Kind == latchkey.Clip {
			s.mu.Unlock()
			<-block
			s.mu.Lock()
		}
		return false
	}
	s.run()
	s.until("pictures and descriptions pass the clip", func() bool { return s.spool.Status().Objects == 3 })
	close(block)
	s.until("the clips follow", func() bool { return s.spool.Status().Objects == 0 })
	var small []string
	for _, kind := range s.kinds() {
		if kind != "clip" {
			small = append(small, kind)
		}
	}
	want := []string{"thumbnail", "thumbnail", "thumbnail", "description", "description", "description"}
	if diff := cmp.Diff(want, small); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// TestOldEpoch: a removal while the agent was away. The server refuses the old
// epoch with the deeds, the agent wraps again, nothing is lost and nothing new is
// readable by the key that passed.
func TestOldEpoch(t *testing.T) {
	s := newStage(t)
	name := s.add(latchkey.Thumbnail, "x")
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		before := s.owner.Title().Head()
		s.owner.StartEpoch()
		s.outdated(before, api.OldEpoch, w, r)
		return true
	}
	s.run()
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epochs[name] != 2 || len(s.puts) != 2 {
		t.Errorf("uploaded with an envelope of epoch %d at attempt %d, want epoch 2 at the second", s.epochs[name], len(s.puts))
	}
	if s.chain.Title().Epoch() != 2 {
		t.Error("the deeds were not taken in")
	}
}

// TestOldEpochOfAnotherHome: a refusal that names another home teaches nothing.
func TestOldEpochOfAnotherHome(t *testing.T) {
	s := newStage(t)
	s.add(latchkey.Thumbnail, "x")
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			return false
		}
		s.owner.StartEpoch()
		head := api.Head(s.owner.Title().Head())
		answer(w, http.StatusConflict, api.Refusal{
			Request: r.Header.Get(api.HeaderRequest), Error: api.Problem{Reason: api.OldEpoch, Message: "again"},
			Home: latchkey.HomeID{1}.String(), Head: &head, Deeds: s.owner.Deeds(),
		})
		return true
	}
	s.run()
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	if s.chain.Title().Epoch() != 1 {
		t.Error("it was learnt from")
	}
}

// TestPoison has one object that goes wrong in every way; the others never wait for it.
func TestPoison(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		reason   api.Reason
		setAside bool
	}{
		"refused for good":       {http.StatusConflict, api.Different, true},
		"oversize":               {http.StatusRequestEntityTooLarge, api.Oversize, true},
		"malformed":              {http.StatusBadRequest, api.Malformed, true},
		"bad signature":          {http.StatusBadRequest, api.Reason(sealed.BadSignature), true},
		"body found wrong":       {http.StatusBadRequest, api.Reason(sealed.WrongHash), true}, // after some more tries
		"another agent's camera": {http.StatusForbidden, api.WrongAgent, false},
		"an internal error":      {http.StatusInternalServerError, api.Internal, false},
		"a newer version":        {http.StatusBadRequest, api.FutureVersion, false},
		"left out for a while":   {http.StatusServiceUnavailable, api.Spared, false},
		"busy":                   {http.StatusServiceUnavailable, api.Busy, false},
		"cut connections":        {0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.add(latchkey.Thumbnail, "before")
			poison := s.add(latchkey.Thumbnail, "poison")
			for range 5 {
				s.add(latchkey.Thumbnail, "after")
			}
			poisoned := 0
			s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
				if name != poison {
					return false
				}
				poisoned++
				if c.status == 0 {
					panic(http.ErrAbortHandler)
				}
				refuse(w, r, c.status, c.reason, 0)
				return true
			}
			s.run()
			left := 1
			if c.setAside {
				left = 0
			}
			s.until("the others are uploaded", func() bool { return s.spool.Status().Objects == left })
			if st := s.spool.Status(); st.Refused != 1-left {
				t.Errorf("%d set aside, want %d", st.Refused, 1-left)
			}
			if !c.setAside {
				s.until("it is tried again", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return poisoned > 2 })
				if st := s.uplink.Status(); st.Retrying != 1 || st.Trouble == "" {
					t.Errorf("status %+v says nothing of it", st)
				}
			}
		})
	}
}

// TestBrokenServerIsNotBelieved: one that refuses everything for good must not empty
// the spool into the corner of refused things.
func TestBrokenServerIsNotBelieved(t *testing.T) {
	s := newStage(t)
	for range 20 {
		s.add(latchkey.Thumbnail, "x")
	}
	broken := true
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if broken {
			refuse(w, r, http.StatusBadRequest, api.Malformed, 0)
		}
		return broken
	}
	s.run()
	s.until("it has refused a lot", func() bool { return len(s.kinds()) > 12 })
	if st := s.spool.Status(); st.Refused > 3 || st.Objects < 17 {
		t.Errorf("%+v: too many were set aside", st)
	}
	s.mu.Lock()
	broken = false
	s.mu.Unlock()
	s.until("the rest is uploaded once it is mended", func() bool { return s.spool.Status().Objects == 0 })
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := newStage(t)
	s.add(latchkey.Thumbnail, "x")
	var times []time.Time
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		times = append(times, time.Now())
		if n == 1 {
			refuse(w, r, http.StatusServiceUnavailable, api.Busy, 700)
		}
		return n == 1
	}
	s.run()
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	if d := times[1].Sub(times[0]); d < 700*time.Millisecond || d > 2*time.Second {
		t.Errorf("came back after %v, told 700 ms", d)
	}
}

// TestClipGoesOn: a broken upload is resumed where the server says.
func TestClipGoesOn(t *testing.T) {
	s := newStage(t)
	name := s.add(latchkey.Clip, strings.Repeat("x", 100_000))
	s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			s.stored[name] = body[:60_000]
			w.Header().Set(api.HeaderOffset, "60000")
			refuse(w, r, http.StatusConflict, api.Offset, 0)
		}
		return n == 1
	}
	var length int
	s.config.Acknowledged = func(h sealed.Header) { length = int(h.BodyLength) }
	s.run()
	s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stored[name]) != length || len(s.puts) != 2 {
		t.Errorf("%d of %d bytes after %d puts", len(s.stored[name]), length, len(s.puts))
	}
}

// TestAnswersThatAreNone: an acknowledgement counts only if it names this request, this
// home and this object.
func TestAnswersThatAreNone(t *testing.T) {
	other := keytest.NewOwner()
	other.Found()
	for name, say := range map[string]func(latchkey.Name, http.ResponseWriter, *http.Request){
		"another home": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			n.Home = other.Home()
			answer(w, http.StatusCreated, api.Stored{Home: n.Home, Name: n.String(), Stored: true})
		},
		"another object": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			n.Object = latchkey.NewObjectID()
			answer(w, http.StatusCreated, api.Stored{Home: n.Home, Name: n.String(), Stored: true})
		},
		"another request": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			w.Header().Set(api.HeaderRequest, "somebody-elses")
			answer(w, http.StatusCreated, api.Stored{Home: n.Home, Name: n.String(), Stored: true})
		},
		"no request": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			w.Header().Del(api.HeaderRequest)
			answer(w, http.StatusCreated, api.Stored{Home: n.Home, Name: n.String(), Stored: true})
		},
		"not stored": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusCreated, api.Stored{Home: n.Home, Name: n.String()})
		},
		"nothing": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusCreated) },
		"a page": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>Welcome to the hotel")
		},
		"a redirect": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/v1/health", http.StatusFound)
		},
		"too much": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusCreated)
			io.WriteString(w, `{"v":1,"home":"`)
			for range 5 << 10 {
				w.Write(make([]byte, 1<<10))
			}
		},
		"deeds of another home": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			head := api.Head(other.Title().Head())
			answer(w, http.StatusConflict, api.Refusal{
				Request: r.Header.Get(api.HeaderRequest), Error: api.Problem{Reason: api.OldEpoch, Message: "again"},
				Home: n.Home.String(), Head: &head, Deeds: other.Deeds(),
			})
		},
		"deeds of no head": func(n latchkey.Name, w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusConflict, api.Refusal{
				Request: r.Header.Get(api.HeaderRequest), Error: api.Problem{Reason: api.OldEpoch, Message: "again"}, Home: n.Home.String(), Deeds: [][]byte{},
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.add(latchkey.Thumbnail, "x")
			s.put = func(n int, name latchkey.Name, f sealed.File, body []byte, w http.ResponseWriter, r *http.Request) bool {
				if n <= 3 {
					say(name, w, r)
				}
				return n <= 3
			}
			s.run()
			s.until("three answers that are none", func() bool { return len(s.kinds()) >= 4 })
			s.until("it is uploaded", func() bool { return s.spool.Status().Objects == 0 })
			if st := s.spool.Status(); st.Refused != 0 || st.Damaged != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestDamagedObjectIsNotUploaded: see spool; here only that the lane goes on.
func TestDamagedObjectIsNotUploaded(t *testing.T) {
	s := newStage(t)
	s.add(latchkey.Thumbnail, "x")
	item, _ := s.spool.Next(func(spool.Item) bool { return true })
	if err := s.spool.Remove(item); err != nil {
		t.Fatal(err)
	}
	if _, err := s.spool.Open(item); !errors.Is(err, spool.ErrDamaged) {
		t.Errorf("open what is gone: %v", err)
	}
	s.add(latchkey.Thumbnail, "y")
	s.run()
	s.until("the other is uploaded", func() bool { return s.spool.Status().Objects == 0 })
}

// TestClockOf1970: an agent whose clock is wrong by decades uploads, because the server
// says what time it is there; here it is the server's clock that is far away.
func TestClockOf1970(t *testing.T) {
	for _, clock := range []time.Time{time.Unix(60, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s := newStage(t)
		s.clock = clock
		for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip} {
			s.add(kind, "x")
		}
		heard := make(chan latchkey.Time, 8)
		s.config.Heard = func(at latchkey.Time) { heard <- at }
		s.run()
		s.until("both are uploaded", func() bool { return s.spool.Status().Objects == 0 })
		if at := <-heard; at != latchkey.TimeOf(clock) {
			t.Errorf("it heard %s from a server at %s", at.Time(), clock)
		}
	}
}
