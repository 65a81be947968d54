// Package camera is one camera as the agent sees it: its RTSP session, which copies
// access units and sounds and never transcodes a picture; the child process that
// decodes pictures to small grey ones for motion; the one that makes a still of a
// picture; and the one that encodes a sound that cannot be recorded as it comes.
//
// A camera is a stranger. Everything it sends is bounded before it is kept, every
// wait has an end, its video is decoded in a child and never here, and its password
// goes nowhere but to it: not into a URL, an argument, an error or a log. The RTSP
// library is not even given the password (see [Receive]), so that no error of the
// library can hold it; what the camera says in return is searched for it all the same.
package camera

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Address is where a camera's stream is. It holds no password.
type Address struct{ u url.URL }

// ParseAddress reads an address of the form rtsp://HOST[:PORT]/PATH, or rtsps:// for one
// whose connection is encrypted. The errors are sentences for the person who typed it, and repeat nothing of it.
func ParseAddress(s string) (Address, error) {
	u, err := url.Parse(s)
	switch {
	case len(s) > 2048:
		return Address{}, errors.New("the camera's address is longer than 2048 characters")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Address{}, errors.New("the camera's address has a line break or another control character in it; type it again")
	case strings.Contains(s, "@") && (err != nil || u.User != nil):
		return Address{}, errors.New("the camera's address has a user or password in it; give the address without them (rtsp://HOST/PATH) and the user and password by themselves, where they are kept secret")
	case err != nil:
		return Address{}, errors.New("this is no address of a camera; it should look like rtsp://192.168.1.20:554/stream1")
	case u.Scheme != "rtsp" && u.Scheme != "rtsps":
		return Address{}, errors.New("the camera's address must begin with rtsp:// or rtsps://, as in rtsp://192.168.1.20:554/stream1")
	case u.Opaque != "" || u.Hostname() == "":
		return Address{}, errors.New("the camera's address names no host; it should look like rtsp://192.168.1.20:554/stream1")
	case u.Fragment != "":
		return Address{}, errors.New("the camera's address has a # in it; write %23 in its place")
	}
	return Address{*u}, nil
}

// String returns the address as it was given.
func (a Address) String() string { return a.u.String() }

// hostPort is what is dialled for the address, and nothing else is.
func (a Address) hostPort() string {
	port := a.u.Port()
	switch {
	case port == "" && a.secure():
		port = "322"
	case port == "":
		port = "554"
	}
	return net.JoinHostPort(a.u.Hostname(), port)
}

// secure says whether the connection is encrypted.
func (a Address) secure() bool { return a.u.Scheme == "rtsps" }
