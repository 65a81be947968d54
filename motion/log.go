package motion

import "time"

// Log remembers the activity of a day.
type Log struct{}

// WouldHaveFired returns how many incidents there would have been.
func (l *Log) WouldHaveFired(c Config) (times int, since time.Time) { return 0, time.Time{} }
