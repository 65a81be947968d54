package crossed

import "time"

// MomentMS is how long a moment is.
const MomentMS = 100

// Moment is what people were shown in one.
type Moment struct {
	MS           int64 `json:"ms"` // from when everybody came back until it begins
	Shown        int64 `json:"shown"`
	ShownForeign int64 `json:"shown_foreign"`
}

// maxMoments is how many are told apart; what comes later counts as the last.
const maxMoments = 6000

// timeline is what was shown when.
type timeline struct {
	began   time.Time // everybody came back
	moments []Moment
}

// now is the moment that it is.
func (l *timeline) now() *Moment {
	n := min(int(time.Since(l.began).Milliseconds())/MomentMS, maxMoments-1)
	for len(l.moments) <= n {
		l.moments = append(l.moments, Moment{MS: int64(len(l.moments)) * MomentMS})
	}
	return &l.moments[n]
}

// together adds what was shown in two scenes, moment by moment.
func together(a, b []Moment) []Moment {
	for i, m := range b {
		if i == len(a) {
			a = append(a, Moment{MS: m.MS})
		}
		a[i].Shown += m.Shown
		a[i].ShownForeign += m.ShownForeign
	}
	return a
}
