package relay

// tell tells the caller and the bus what is wanted. It is one goroutine, so that each
// change is told once and in order, and nobody who comes or goes waits for it.
func (r *Relay) tell() {
	for {
		select {
		case <-r.closing:
			return
		case <-r.changed:
		}
		for s := r.next(); s != nil; s = r.next() {
			r.settle(s)
		}
	}
}

// tellOf has the demand for a stream be looked at. The caller holds the lock.
func (r *Relay) tellOf(s *stream) {
	if s.listed {
		return
	}
	s.listed = true
	r.news = append(r.news, s)
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// next takes the first stream whose demand is to be looked at, nil if there is none.
func (r *Relay) next() *stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.news) == 0 || r.closed {
		return nil
	}
	s := r.news[0]
	r.news = r.news[1:]
	s.listed = false
	return s
}

// settle tells what has changed since the last time. The bus is asked for what somebody
// watches here, and not for what another relay does: each asks for itself.
func (r *Relay) settle(s *stream) {
	r.mu.Lock()
	wanted, watched := s.home.streams[s.of] == s, s.people > 0
	r.mu.Unlock()
	if wanted && !s.told {
		s.told = true
		r.config.Wanted(s.of, true)
	}
	switch {
	case !watched:
		s.unsubscribe()
	case s.stop == nil && r.config.Bus != nil:
		s.stop = r.config.Bus.Subscribe(s.of, &Inlet{stream: s})
	}
	if !wanted && s.told {
		s.told = false
		r.config.Wanted(s.of, false)
	}
}

// unsubscribe ends what the bus brings.
func (s *stream) unsubscribe() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}
