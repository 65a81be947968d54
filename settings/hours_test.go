package settings_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of this test, on any machine

	"github.com/latchkey-cam/latchkey/settings"
)

func hours(from, to string, days ...int) settings.Hours {
	f, err := settings.ParseTime(from)
	if err != nil {
		panic(err)
	}
	t, err := settings.ParseTime(to)
	if err != nil {
		panic(err)
	}
	return settings.Hours{Days: days, From: f, To: t}
}

// TestOffAt: hours are those of the home's clock, also in the two nights of a year in
// which it jumps. The same moments are in web/src/cameras/schedule.test.ts.
func TestOffAt(t *testing.T) {
	berlin, newYork, lordHowe := "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
	work := hours("07:00", "17:00", 1, 2, 3, 4, 5)
	night := hours("22:00", "06:30", 5)
	all := hours("00:00", "00:00", 1, 2, 3, 4, 5, 6, 7)
	for _, c := range []struct {
		what, zone string
		when       []settings.Hours
		at         string
		off        bool
		next       string // "" for never
	}{
		{"before work", berlin, []settings.Hours{work}, "2026-01-15T05:59:59Z", false, "2026-01-15T06:00:00Z"},
		{"as it begins", berlin, []settings.Hours{work}, "2026-01-15T06:00:00Z", true, "2026-01-15T16:00:00Z"},
		{"as it ends", berlin, []settings.Hours{work}, "2026-01-15T16:00:00Z", false, "2026-01-16T06:00:00Z"},
		{"Friday evening", berlin, []settings.Hours{work}, "2026-01-16T18:00:00Z", false, "2026-01-19T06:00:00Z"},
		{"in summer", berlin, []settings.Hours{work}, "2026-07-15T05:00:00Z", true, "2026-07-15T15:00:00Z"},
		{"elsewhere", newYork, []settings.Hours{work}, "2026-07-15T11:00:00Z", true, "2026-07-15T21:00:00Z"},

		{"the evening before midnight", berlin, []settings.Hours{night}, "2026-01-16T21:00:00Z", true, "2026-01-17T05:30:00Z"},
		{"the morning after", berlin, []settings.Hours{night}, "2026-01-17T05:29:00Z", true, "2026-01-17T05:30:00Z"},
		{"and then for a week", berlin, []settings.Hours{night}, "2026-01-17T05:30:00Z", false, "2026-01-23T21:00:00Z"},
		{"the evening of the next day", berlin, []settings.Hours{night}, "2026-01-17T21:30:00Z", false, "2026-01-23T21:00:00Z"},

		{"a begin that is left out", berlin, []settings.Hours{hours("02:30", "05:00", 7)}, "2026-03-29T00:50:00Z", false, "2026-03-29T01:00:00Z"},
		{"it begins with the jump", berlin, []settings.Hours{hours("02:30", "05:00", 7)}, "2026-03-29T01:00:00Z", true, "2026-03-29T03:00:00Z"},
		{"an end that is left out", berlin, []settings.Hours{hours("01:00", "02:30", 7)}, "2026-03-29T00:30:00Z", true, "2026-03-29T01:00:00Z"},
		{"wholly left out", berlin, []settings.Hours{hours("02:10", "02:50", 7)}, "2026-03-29T00:30:00Z", false, "2026-04-05T00:10:00Z"},
		{"an end that comes twice", berlin, []settings.Hours{hours("01:00", "02:30", 7)}, "2026-10-25T00:10:00Z", true, "2026-10-25T00:30:00Z"},
		{"on between the two", berlin, []settings.Hours{hours("01:00", "02:30", 7)}, "2026-10-25T00:40:00Z", false, "2026-10-25T01:00:00Z"},
		{"off the second time", berlin, []settings.Hours{hours("01:00", "02:30", 7)}, "2026-10-25T01:10:00Z", true, "2026-10-25T01:30:00Z"},
		{"a night that is an hour longer", berlin, []settings.Hours{hours("22:00", "06:00", 6)}, "2026-10-24T20:00:00Z", true, "2026-10-25T05:00:00Z"},
		{"a jump of half an hour", lordHowe, []settings.Hours{hours("02:10", "05:00", 7)}, "2026-10-03T15:00:00Z", false, "2026-10-03T15:30:00Z"},

		{"hours that touch", berlin, []settings.Hours{work, hours("17:00", "19:00", 1, 2, 3, 4, 5)}, "2026-01-15T08:00:00Z", true, "2026-01-15T18:00:00Z"},
		{"always", berlin, []settings.Hours{all}, "2026-01-15T08:00:00Z", true, ""},
		{"from a time to the same", berlin, []settings.Hours{hours("07:00", "07:00", 6)}, "2026-01-17T06:00:00Z", true, "2026-01-18T06:00:00Z"},
		{"no hours", berlin, nil, "2026-01-15T08:00:00Z", false, ""},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		off, next := settings.Camera{OffWhen: c.when}.OffAt(at, zone)
		said := ""
		if !next.IsZero() {
			said = next.UTC().Format(time.RFC3339)
		}
		if off != c.off || said != c.next {
			t.Errorf("%s, at %s: off %v until %q, want %v until %q", c.what, c.at, off, said, c.off, c.next)
		}
	}
	if off, next := (settings.Camera{Off: true, OffWhen: []settings.Hours{work}}).OffAt(time.Now(), time.UTC); !off || !next.IsZero() {
		t.Errorf("by hand: off %v until %v, want until a hand switches it on", off, next)
	}
}

// TestOffAtIsTheNextChange: the moment that is given is the first at which it is
// otherwise, minute by minute through a week in which the clock jumps.
func TestOffAtIsTheNextChange(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := settings.Camera{OffWhen: []settings.Hours{hours("22:15", "06:45", 1, 3, 6), hours("02:05", "02:35", 7), hours("12:00", "12:30", 2, 7)}}
	for _, from := range []string{"2026-03-26T00:00:00Z", "2026-10-22T00:00:00Z"} {
		at, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatal(err)
		}
		off, next := c.OffAt(at, zone)
		for end := at.Add(6 * 24 * time.Hour); at.Before(end); at = at.Add(time.Minute) {
			is, then := c.OffAt(at, zone)
			if at.Before(next) && (is != off || !then.Equal(next)) || at.Equal(next) && is == off || at.After(next) {
				t.Fatalf("at %s: off %v until %s; it was said: %v until %s", at, is, then, off, next)
			}
			off, next = is, then
		}
	}
}
