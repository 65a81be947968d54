// Package fields takes JSON apart that somebody else wrote, member by member, because
// encoding/json would take a member of another case for one that it knows, and one
// that is missing for an empty one. What it takes and refuses is what a browser does
// that checks each member's type (web/src/fields.ts).
package fields

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/latchkey-cam/latchkey"
)

// Object is a JSON object. The first member that is not what it should be is the error
// of all objects that came out of the same JSON; until somebody asks for it the
// values are zero.
type Object struct {
	members map[string]json.RawMessage
	first   *error
}

// Parse takes a JSON object apart.
func Parse(b []byte) (Object, error) {
	var o Object
	if !utf8.Valid(b) {
		return o, errors.New("no UTF-8")
	}
	if err := json.Unmarshal(b, &o.members); err != nil || o.members == nil {
		return o, errors.New("no JSON object")
	}
	o.first = new(error)
	return o, nil
}

// Err is what was wrong first, or nil.
func (o Object) Err() error { return *o.first }

// Refuse makes err the error of the object unless it has one.
func (o Object) Refuse(format string, args ...any) {
	if *o.first == nil {
		*o.first = fmt.Errorf(format, args...)
	}
}

// Has says whether there is such a member.
func (o Object) Has(name string) bool { _, ok := o.members[name]; return ok }

// take decodes a member, which must be there and of its type; null is of no type.
func (o Object) take(name string, into any) bool {
	raw, ok := o.members[name]
	if !ok || string(raw) == "null" || json.Unmarshal(raw, into) != nil {
		o.Refuse("member %q is missing or of another type", name)
		return false
	}
	return true
}

// Text is a member of at most so many characters, none of which is a control character
// or turns the direction of text: with one of them a text looks like another.
func (o Object) Text(name string, most int) string {
	var s string
	if !o.take(name, &s) {
		return ""
	}
	if err := CheckText(s, most); err != nil {
		o.Refuse("member %q: %w", name, err)
		return ""
	}
	return s
}

// Bytes is a member in standard base64 with padding, of at most so many bytes.
func (o Object) Bytes(name string, most int) []byte {
	var s string
	if !o.take(name, &s) {
		return nil
	}
	b, err := decode(s)
	if err != nil || len(b) > most {
		o.Refuse("member %q is no base64 of at most %d bytes", name, most)
		return nil
	}
	return b
}

// Int is a whole number from least to most.
func (o Object) Int(name string, least, most int64) int64 {
	return int64(o.number(name, float64(least), float64(most), true))
}

// Count is a whole number from 0.
func (o Object) Count(name string) int64 { return o.Int(name, 0, latchkey.MaxInt) }

// Number is a number from least to most.
func (o Object) Number(name string, least, most float64) float64 {
	return o.number(name, least, most, false)
}

func (o Object) number(name string, least, most float64, whole bool) float64 {
	var f float64
	if !o.take(name, &f) {
		return 0
	}
	if f < least || f > most || whole && f != math.Trunc(f) {
		o.Refuse("member %q is out of its range", name)
		return 0
	}
	return f
}

// Bool is true or false.
func (o Object) Bool(name string) (b bool) { o.take(name, &b); return b }

// OneOf is a text that is one of those.
func (o Object) OneOf(name string, all ...string) string {
	var s string
	if o.take(name, &s) && !slices.Contains(all, s) {
		o.Refuse("member %q is none of %q", name, all)
		return ""
	}
	return s
}

// Object is a member that is an object. Of one that is none it is an empty object.
func (o Object) Object(name string) Object {
	inner := Object{first: o.first}
	o.take(name, &inner.members)
	return inner
}

// Names are the names of all members.
func (o Object) Names() []string {
	var all []string
	for name := range o.members {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Raw is a list of at most so many values of any type, each still JSON.
func (o Object) Raw(name string, most int) []json.RawMessage {
	var all []json.RawMessage
	if !o.take(name, &all) {
		return nil
	}
	if len(all) > most {
		o.Refuse("member %q has %d values, at most %d", name, len(all), most)
		return nil
	}
	return all
}

// List is a list of at most so many objects.
func (o Object) List(name string, most int) []Object {
	var list []Object
	for _, raw := range o.Raw(name, most) {
		inner := Object{first: o.first}
		if string(raw) == "null" || json.Unmarshal(raw, &inner.members) != nil {
			o.Refuse("member %q is no list of objects", name)
			return nil
		}
		list = append(list, inner)
	}
	return list
}

// Whole decodes one JSON value that must be a whole number from least to most.
func Whole(raw json.RawMessage, least, most int) (int, bool) {
	var f float64
	if string(raw) == "null" || json.Unmarshal(raw, &f) != nil || f != math.Trunc(f) || f < float64(least) || f > float64(most) {
		return 0, false
	}
	return int(f), true
}
