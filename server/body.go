package server

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// read reads the JSON body of a request into the struct that into points to, strictly.
func (a *asking) read(into any) error {
	if kind, params, err := mime.ParseMediaType(a.r.Header.Get("Content-Type")); err != nil || kind != "application/json" ||
		params["charset"] != "" && params["charset"] != "utf-8" {
		return refuse(http.StatusUnsupportedMediaType, api.Malformed, "Want a body of type application/json.")
	}
	if a.r.Header.Get("Content-Encoding") != "" {
		return refuse(http.StatusUnsupportedMediaType, api.Malformed, "Want a body that is not compressed.")
	}
	b, err := a.whole()
	if err != nil {
		return err
	}
	switch err := api.Decode(b, into); {
	case errors.Is(err, api.ErrVersion):
		return refuse(http.StatusBadRequest, api.FutureVersion, "This message is of another version than the server speaks. Update the older of the two.")
	case err != nil:
		return malformed("The body is not the message that belongs here: " + err.Error() + ".")
	}
	return nil
}

// whole returns the body of the request, which is as long as its route's may be.
func (a *asking) whole() ([]byte, error) {
	if a.body != nil || a.r.Body == http.NoBody {
		return a.body, nil
	}
	limit, large := int64(api.MaxJSON), "The message is larger than a megabyte."
	if a.route.Form == api.Letters {
		limit, large = sealed.MaxCommand, "A command has at most 64 KiB."
	}
	tooLarge := refuse(http.StatusRequestEntityTooLarge, api.Oversize, large)
	if a.r.ContentLength > limit {
		return nil, tooLarge
	}
	b, err := io.ReadAll(http.MaxBytesReader(a.w, a.r.Body, limit))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, tooLarge
	} else if err != nil {
		return nil, malformed("The body broke off.")
	}
	a.body, a.came = b, true
	return b, nil
}

// aboutHome compares the home that a body names with the one in the address.
func (a *asking) aboutHome(home latchkey.HomeID) error {
	if home != a.home {
		return refuse(http.StatusBadRequest, api.WrongHome, "The message is about another home than its address.")
	}
	return nil
}

// query returns the parameters, each at most once and none that the table does not name.
func (a *asking) query() (url.Values, error) {
	q, err := url.ParseQuery(a.r.URL.RawQuery)
	if err != nil {
		return nil, malformed("The part of the address behind the question mark does not parse.")
	}
	for name, values := range q {
		known := slices.ContainsFunc(a.route.Query, func(p api.Query) bool { return p.Name == name })
		if !known || len(values) != 1 {
			return nil, malformed("The address has a parameter that does not belong there, or one twice.")
		}
	}
	return q, nil
}

// number reads a parameter between low and high; absent is what is given for it.
func number(q url.Values, name string, low, high, absent uint64) (uint64, error) {
	text := q.Get(name)
	if !q.Has(name) {
		return absent, nil
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil || n < low || n > high || strconv.FormatUint(n, 10) != text {
		return 0, malformed("The parameter " + name + " is no number from " + strconv.FormatUint(low, 10) + " to " + strconv.FormatUint(high, 10) + ".")
	}
	return n, nil
}
