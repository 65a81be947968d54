package onvif

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxElements = 20_000 // a recorder's profiles have about 6,000
	maxDepth    = 32
	maxText     = 128 // letters of a name, a model, a serial number
)

// element is an element of an answer. Its name has no namespace.
type element struct {
	name       string
	space      string // its namespace, for saying it again and not for comparing
	attributes []xml.Attr
	children   []*element
	content    string // the text in it, that of its children left out
}

// parse reads an XML document into elements. It refuses what an answer never needs and
// an attack does: document types, and with them entities; depth; number.
func parse(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(bytes.ToValidUTF8(b, []byte("\uFFFD"))))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // what is not UTF-8 has been replaced
	root := &element{}
	open, texts, count := []*element{root}, []*strings.Builder{{}}, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %.100q", ErrMalformed, err.Error())
		}
		last := len(open) - 1
		switch t := token.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: it has a document type", ErrMalformed)
		case xml.StartElement:
			if count++; count > maxElements || len(open) > maxDepth {
				return nil, fmt.Errorf("%w: more than %d elements, or more than %d in one another", ErrMalformed, maxElements, maxDepth)
			}
			e := &element{name: t.Name.Local, space: t.Name.Space, attributes: t.Attr}
			open[last].children = append(open[last].children, e)
			open, texts = append(open, e), append(texts, &strings.Builder{})
		case xml.EndElement:
			open[last].content = texts[last].String()
			open, texts = open[:last], texts[:last]
		case xml.CharData:
			texts[last].Write(t)
		}
	}
	if len(root.children) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrMalformed)
	}
	return root, nil
}

// find returns the first element of that name below e, however deep, or nil.
func (e *element) find(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
		if f := c.find(name); f != nil {
			return f
		}
	}
	return nil
}

// all returns the elements of that name below e that are not in one another.
func (e *element) all(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			found = append(found, c)
		} else {
			found = append(found, c.all(name)...)
		}
	}
	return found
}

// text returns the text of the first element of that name, cleaned, "" if there is none.
func (e *element) text(name string) string { return clean(e.whole(name, 4*maxText), maxText) }

// whole returns the text of the first element of that name if it is not longer than
// that many bytes.
func (e *element) whole(name string, longest int) string {
	f := e.find(name)
	if f == nil || len(f.content) > longest {
		return ""
	}
	return strings.TrimSpace(f.content)
}

// number returns the number in the first element of that name, 0 if it is none that a
// picture can have.
func (e *element) number(name string) int {
	n, err := strconv.Atoi(e.text(name))
	if err != nil || n < 0 || n > 1<<16 {
		return 0
	}
	return n
}

func (e *element) attribute(name string) string {
	for _, a := range e.attributes {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// time reads a date and time of the schema.
func (e *element) time() (time.Time, bool) {
	var n [6]int
	for i, name := range []string{"Year", "Month", "Day", "Hour", "Minute", "Second"} {
		v, err := strconv.Atoi(e.text(name))
		if err != nil || v < 0 || v > 9999 {
			return time.Time{}, false
		}
		n[i] = v
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	same := t.Year() == n[0] && int(t.Month()) == n[1] && t.Day() == n[2] && t.Hour() == n[3] && t.Minute() == n[4]
	return t, same || n[5] == 60 // a leap second, if it ever comes
}

// clean makes of a stranger's text one line of printable letters, not longer than that.
func clean(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > longest {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
