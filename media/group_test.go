package media_test

import (
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// stream returns units of a second's groups, each of size bytes, without a codec.
func stream(seconds, perSecond, size int) []media.Unit {
	p := &media.Parameters{}
	var units []media.Unit
	for i := range seconds * perSecond {
		units = append(units, media.Unit{
			NALs:       [][]byte{make([]byte, size)},
			Key:        i%perSecond == 0,
			Break:      i == 0,
			Parameters: p,
			PTS:        media.Ticks(i * media.Rate / perSecond),
			Taken:      noon.Add(time.Duration(i) * time.Second / time.Duration(perSecond)),
		})
	}
	return units
}

func TestRingKeepsWholeGroups(t *testing.T) {
	r := media.Ring{Limit: 1 << 20}
	for _, u := range stream(10, 5, 100) {
		r.Add(u)
	}
	r.Trim(noon.Add(6500 * time.Millisecond))
	groups := r.Since(time.Time{})
	if len(groups) != 4 || !groups[0].Start().Equal(noon.Add(6*time.Second)) || r.Bytes() != 4*5*100 {
		t.Fatalf("%d groups from %v, %d bytes", len(groups), groups[0].Start(), r.Bytes())
	}
	if got := r.Since(noon.Add(8300 * time.Millisecond)); len(got) != 2 || !got[0].Units[0].Key {
		t.Errorf("%d groups since 8.3 s", len(got))
	}
}

func TestRingIsBounded(t *testing.T) {
	r := media.Ring{Limit: 10_000}
	for _, u := range stream(60, 5, 500) {
		r.Add(u)
		if r.Bytes() > r.Limit {
			t.Fatalf("%d bytes, limit %d", r.Bytes(), r.Limit)
		}
	}
	if n := len(r.Since(time.Time{})); n != 4 || r.Lost != 0 {
		t.Errorf("%d groups, %d units lost; want 4 and none", n, r.Lost)
	}
}

// A camera that never sends a key unit again must not fill the memory.
func TestRingBeginsAnewWhenAGroupIsTooLong(t *testing.T) {
	r := media.Ring{Limit: 10_000}
	units := stream(1, 200, 500)
	for _, u := range units {
		r.Add(u)
	}
	if r.Bytes() != 0 || r.Lost != 200 {
		t.Errorf("%d bytes kept, %d units counted as lost", r.Bytes(), r.Lost)
	}
	for _, u := range stream(2, 5, 500) {
		r.Add(u)
	}
	if n := len(r.Since(time.Time{})); n != 2 {
		t.Errorf("%d groups after the next key unit, want 2", n)
	}
}

func TestRingForgetsAtABreak(t *testing.T) {
	r := media.Ring{Limit: 1 << 20}
	for range 2 {
		for _, u := range stream(3, 5, 10) {
			r.Add(u)
		}
	}
	if n := len(r.Since(time.Time{})); n != 3 {
		t.Errorf("%d groups, want the 3 after the break", n)
	}
}

func TestGroupsTakenFromTheRingStay(t *testing.T) {
	r := media.Ring{Limit: 1 << 20}
	units := stream(4, 5, 10)
	for _, u := range units[:13] {
		r.Add(u)
	}
	taken := r.Since(time.Time{})
	for _, u := range units[13:] {
		r.Add(u)
	}
	r.Trim(noon.Add(time.Hour))
	if len(taken) != 3 || len(taken[2].Units) != 3 || len(taken[0].Units) != 5 {
		t.Errorf("groups changed after they were taken")
	}
}
