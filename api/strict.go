package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// ErrMalformed says that a message is not of the form that it must have.
var ErrMalformed = errors.New("malformed message")

// Decode reads one JSON object into the struct that into points to, strictly: it must
// be a single value, have every member that may not be absent, no member twice, and
// none that the struct does not name in exactly that spelling. The errors are
// [ErrMalformed] and [ErrVersion].
//
// The standard decoder alone takes "HOME" for "home" and the last of two: then two
// readers of one message could see different homes in it.
func Decode(b []byte, into any) error {
	var version struct {
		V V `json:"v"`
	}
	if err := json.Unmarshal(b, &version); errors.Is(err, ErrVersion) {
		return err // before anything else: a later version has other members
	}
	wanted := members(reflect.TypeOf(into).Elem())
	if err := checkMembers(b, wanted); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// members gives the JSON names of a struct's fields, and whether each must be there.
func members(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = options == ""
	}
	return all
}

func checkMembers(b []byte, wanted map[string]bool) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%w: want a JSON object", ErrMalformed)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		name, _ := t.(string)
		if _, ok := wanted[name]; !ok {
			return fmt.Errorf("%w: unknown member %.40q", ErrMalformed, name)
		}
		if seen[name] {
			return fmt.Errorf("%w: member %q stands there twice", ErrMalformed, name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if string(value) == "null" {
			return fmt.Errorf("%w: member %q is null", ErrMalformed, name)
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the JSON object", ErrMalformed)
	}
	for name, must := range wanted {
		if must && !seen[name] {
			return fmt.Errorf("%w: member %q is missing", ErrMalformed, name)
		}
	}
	return nil
}
