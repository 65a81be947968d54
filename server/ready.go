package server

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Ready returns why this server is not to be asked at present, nothing if it is: what
// balances between servers leaves it out.
func (s *Server) Ready() (why []string) {
	if s.moving.Load() {
		why = append(why, "it is going down, and whoever was here is on the way to another")
	}
	if !s.lease.fresh() {
		why = append(why, "the archive does not say who may see what")
	}
	return why
}

// hadWithin is how long it may take to come by what every request needs.
const hadWithin = 2 * time.Second

// goesOn says whether the server does: what every request needs can be had. One that does
// not is to be started anew.
func (s *Server) goesOn() bool {
	if !s.probing.CompareAndSwap(false, true) {
		return false // the last time has not ended
	}
	done := make(chan struct{})
	go func() {
		_ = s.hub.usual()
		_ = s.gate.Status()
		_ = s.lease.left()
		s.probing.Store(false)
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(hadWithin):
		return false
	}
}

// Operator answers whoever runs the server: /healthz and /readyz with reasons, and a page of
// how the server is doing, which has no media and names no people. The server's own address
// answers the two without reasons.
func (s *Server) Operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.probes(true))
	mux.HandleFunc("GET /{$}", s.operator)
	return mux
}

func (s *Server) probes(reasons bool) http.Handler {
	mux := http.NewServeMux()
	say := func(w http.ResponseWriter, ok bool, why ...string) {
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "private, no-store")
		text := "ok\n"
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
			text = "no\n"
			if reasons && len(why) > 0 {
				text = strings.Join(why, "\n") + "\n"
			}
		}
		_, _ = io.WriteString(w, text) // or nobody is there any more
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		say(w, s.goesOn(), "what every request needs cannot be had: the server has to be started anew")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		why := s.Ready()
		say(w, len(why) == 0, why...)
	})
	return mux
}

// Drain has everybody move to another server of the same archive: this one is ready no
// more, and ends the websockets of agents and pages one after the other within that time, in
// no order. Requests are answered until [Server.Close].
func (s *Server) Drain(ctx context.Context, within time.Duration) {
	s.moving.Store(true)
	all := s.hub.everybody()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	began := time.Now()
	for i, l := range all {
		if !sleep(ctx, time.Until(began.Add(within*time.Duration(i)/time.Duration(len(all))))) {
			return
		}
		l.move()
	}
	sleep(ctx, time.Until(began.Add(within)))
}
