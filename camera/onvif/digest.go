package onvif

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/latchkey-cam/latchkey/camera"
)

// digest is a challenge of HTTP's Digest authentication. Basic is not answered: it
// would put the password on the network as it is.
type digest struct {
	realm, nonce, opaque string
	algorithm            string // as it was spelled, "" if it was not
	qop                  bool   // "auth" is offered
	count                int    // of requests under this nonce
}

// parseDigest returns the best challenge among header values, nil if there is none.
func parseDigest(values []string) *digest {
	var best *digest
	for _, v := range values {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(v), " ")
		if !strings.EqualFold(scheme, "Digest") || len(v) > 2048 {
			continue
		}
		d := &digest{}
		for name, value := range parameters(rest) {
			switch name {
			case "realm":
				d.realm = value
			case "nonce":
				d.nonce = value
			case "opaque":
				d.opaque = value
			case "algorithm":
				d.algorithm = value
			case "qop":
				for option := range strings.SplitSeq(value, ",") {
					d.qop = d.qop || strings.TrimSpace(option) == "auth"
				}
			}
		}
		if d.nonce != "" && d.hash() != nil && (best == nil || strings.EqualFold(d.algorithm, "SHA-256")) {
			best = d
		}
	}
	return best
}

// parameters reads name="value", name=value, ... Without a closing quote the rest is
// the value. What could not be sent back in quotes is left out.
func parameters(s string) map[string]string {
	found := map[string]string{}
	for s != "" {
		var name, value string
		name, s, _ = strings.Cut(s, "=")
		if quoted, ok := strings.CutPrefix(strings.TrimLeft(s, " "), `"`); ok {
			value, s, _ = strings.Cut(quoted, `"`)
			_, s, _ = strings.Cut(s, ",")
		} else {
			value, s, _ = strings.Cut(s, ",")
		}
		value = strings.TrimSpace(value)
		if !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			found[strings.ToLower(strings.TrimSpace(name))] = value
		}
	}
	return found
}

func (d *digest) hash() func() hash.Hash {
	switch strings.ToUpper(d.algorithm) {
	case "", "MD5":
		return md5.New
	case "SHA-256":
		return sha256.New
	}
	return nil
}

// answer is the header by which a POST to path proves that we know the password.
func (d *digest) answer(c camera.Credentials, path string) string {
	sum := func(parts ...string) string {
		h := d.hash()()
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	user := c.User.Reveal()
	secret, request := sum(user, d.realm, c.Password.Reveal()), sum("POST", path)
	line := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, user, d.realm, d.nonce, path)
	if d.qop {
		var random [8]byte
		rand.Read(random[:])
		d.count++
		count, own := fmt.Sprintf("%08x", d.count), hex.EncodeToString(random[:])
		line += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, count, own, sum(secret, d.nonce, count, own, "auth", request))
	} else {
		line += fmt.Sprintf(`, response="%s"`, sum(secret, d.nonce, request))
	}
	if d.opaque != "" {
		line += fmt.Sprintf(`, opaque="%s"`, d.opaque)
	}
	if d.algorithm != "" {
		line += ", algorithm=" + d.algorithm
	}
	return line
}
