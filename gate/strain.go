package gate

import "time"

// strains is what is under strain, and what is left out because of it.
type strains struct {
	levels map[string]level
	spared int       // features
	hurt   time.Time // since when something has been under strain; zero if nothing is
	calm   time.Time // since when nothing has been, or a feature came back
}

type level struct {
	of float64
	at time.Time
}

const (
	// said is for how long what was said of a strain holds.
	said = time.Second
	// spareAfter is after how long under strain one more feature is left out, and
	// restAfter after how long without one is back.
	spareAfter = 2 * time.Second
	restAfter  = 5 * time.Second
)

func (s *strains) strain(now time.Time, name string, of float64) {
	if s.levels == nil {
		s.levels = map[string]level{}
	}
	s.levels[name] = level{of, now}
}

// strained says whether that is a strain, and still holds.
func (l level) strained(now time.Time) bool { return l.of >= 1 && now.Sub(l.at) <= said }

// now is how much each is under strain of which something was said lately.
func (s *strains) now(now time.Time) map[string]float64 {
	levels := map[string]float64{}
	for name, l := range s.levels {
		if now.Sub(l.at) <= said {
			levels[name] = l.of
		}
	}
	return levels
}

// step says whether something is under strain, and leaves out more features, or fewer.
func (s *strains) step(now time.Time) bool {
	strained := false
	for _, l := range s.levels {
		strained = strained || l.strained(now)
	}
	switch {
	case !strained && !s.hurt.IsZero():
		s.hurt, s.calm = time.Time{}, now
	case !strained && s.spared > 0 && now.Sub(s.calm) >= restAfter:
		s.spared--
		s.calm = now
	case strained && s.hurt.IsZero():
		s.hurt = now
	case strained && s.spared < int(Features) && now.Sub(s.hurt) >= spareAfter:
		s.spared++
		s.hurt = now
	}
	return strained
}
