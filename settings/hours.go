package settings

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey/internal/fields"
)

// Hours are times of the week on the home's clock: on each of the days from one time
// to the other, which is the next day's if it is not later.
type Hours struct {
	Days []int // Monday is 1, Sunday 7; each at most once
	From Time
	To   Time
}

// Time is a time of day: minutes since midnight, as the clock shows them.
type Time int

const day = 24 * 60 // minutes

// ParseTime is the inverse of [Time.String]; it takes no other spelling.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse("15:04", s)
	if at := Time(t.Hour()*60 + t.Minute()); err == nil && at.String() == s {
		return at, nil
	}
	return 0, fmt.Errorf("no time of day: %q", s)
}

// String returns HH:MM.
func (t Time) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

type hoursJSON struct {
	Days []int  `json:"days"`
	From string `json:"from"`
	To   string `json:"to"`
}

// MarshalJSON writes the hours as documents have them.
func (h Hours) MarshalJSON() ([]byte, error) {
	return json.Marshal(hoursJSON{h.Days, h.From.String(), h.To.String()})
}

func readHours(o fields.Object) Hours {
	var h Hours
	for _, raw := range o.Raw("days", 7) {
		d, ok := fields.Whole(raw, 1, 7)
		if !ok || slices.Contains(h.Days, d) {
			o.Refuse("days are numbers from 1 to 7, each at most once")
			return h
		}
		h.Days = append(h.Days, d)
	}
	if len(h.Days) == 0 {
		o.Refuse("hours on no day")
	}
	for name, into := range map[string]*Time{"from": &h.From, "to": &h.To} {
		at, err := ParseTime(o.Text(name, 5))
		if err != nil {
			o.Refuse("member %q: %w", name, err)
		}
		*into = at
	}
	return h
}

// include says whether the clock shows one of the hours at that minute of that day.
func (h Hours) include(weekday time.Weekday, minute Time) bool {
	today := (int(weekday)+6)%7 + 1
	yesterday := (today+5)%7 + 1
	if h.To > h.From {
		return slices.Contains(h.Days, today) && h.From <= minute && minute < h.To
	}
	return slices.Contains(h.Days, today) && minute >= h.From || slices.Contains(h.Days, yesterday) && minute < h.To
}

// OffAt says whether the camera is to be off at t, in the home's time zone, and when
// that changes next; never is the zero time. What counts is what the clock shows: in
// the night in which an hour comes twice, hours that end within it come twice too, and
// hours that begin in one that is left out begin when the clock jumps.
func (c Camera) OffAt(t time.Time, zone *time.Location) (off bool, next time.Time) {
	if c.Off {
		return true, time.Time{}
	}
	if len(c.OffWhen) == 0 {
		return false, time.Time{}
	}
	off = c.byHours(t.In(zone))
	for _, at := range c.moments(t, zone) {
		if at.After(t) && c.byHours(at) != off {
			return off, at
		}
	}
	return off, time.Time{}
}

func (c Camera) byHours(t time.Time) bool {
	minute := Time(t.Hour()*60 + t.Minute())
	return slices.ContainsFunc(c.OffWhen, func(h Hours) bool { return h.include(t.Weekday(), minute) })
}

// moments are those within the next eight days at which the clock passes a begin or an
// end of hours, and at which it jumps over one, in their order.
func (c Camera) moments(t time.Time, zone *time.Location) []time.Time {
	var all []time.Time
	local := t.In(zone)
	for n := range 10 { // from yesterday on, whose hours may last until today
		for _, h := range c.OffWhen {
			for _, minute := range []Time{h.From, h.To} {
				all = append(all, shows(local, n-1, minute)...)
			}
		}
	}
	for at := local; ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Sub(t) > 9*day*time.Minute {
			break
		}
		all, at = append(all, end), end
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// shows are the moments at which the clock shows that time, so many days after t: one,
// two in an hour that comes twice, none in one that is left out.
func shows(t time.Time, days int, at Time) []time.Time {
	year, month, d := t.Date()
	noon := time.Date(year, month, d+days, 12, 0, 0, 0, t.Location())
	var all []time.Time
	for _, near := range []time.Time{noon.Add(-day * time.Minute), noon.Add(day * time.Minute)} {
		_, offset := near.Zone()
		utc := time.Date(year, month, d+days, int(at)/60, int(at)%60, 0, 0, time.UTC)
		moment := utc.Add(-time.Duration(offset) * time.Second).In(t.Location())
		if _, is := moment.Zone(); is == offset && (len(all) == 0 || !all[0].Equal(moment)) {
			all = append(all, moment)
		}
	}
	return all
}
