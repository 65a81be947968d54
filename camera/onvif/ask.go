package onvif

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	deviceNS = "http://www.onvif.org/ver10/device/wsdl"
	mediaNS  = "http://www.onvif.org/ver10/media/wsdl"
	schemaNS = "http://www.onvif.org/ver10/schema"
	soapNS   = "http://www.w3.org/2003/05/soap-envelope"
	secureNS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-"
)

// call is one operation that a device is asked to carry out.
type call struct {
	path, namespace, operation string
	content                    string // of the operation's element
	header                     string // besides the proof of the password
}

func (c *Client) ask(ctx context.Context, path, namespace, operation, content string) (*element, error) {
	return c.put(ctx, call{path, namespace, operation, content, ""})
}

// put has an operation carried out and returns its answer. A device that wants a
// password is told it in the way it asks for; it is told a wrong one once, in all the
// operations of a client, because cameras lock accounts. One that has taken it may ask
// for it anew, as its nonces grow old.
func (c *Client) put(ctx context.Context, q call) (*element, error) {
	body := `<` + q.operation + ` xmlns="` + q.namespace + `">` + q.content + `</` + q.operation + `>`
	for again := false; ; again = true {
		security, authorization := "", ""
		if c.login {
			if c.refused || c.config.Credentials.User.Reveal() == "" {
				return nil, ErrRefused
			}
			security = c.token()
			if c.digest != nil {
				authorization = c.digest.answer(c.config.Credentials, q.path)
			}
		}
		answer, err := c.post(ctx, q.path, envelope(q.header+security, body), authorization)
		if err == nil && !answer.refuses() {
			c.proven = c.login
			if found := answer.find(q.operation + "Response"); found != nil {
				return found, nil
			}
			if fault := answer.find("Fault"); fault != nil {
				return nil, fmt.Errorf("the device answers %s with a fault: %.100q", q.operation, fault.text("Text"))
			}
			return nil, ErrMalformed
		}
		challenge, asks := err.(*unauthorized)
		if err != nil && !asks {
			return nil, err
		}
		if c.login && (again || !c.proven || !asks) {
			c.refused = true
			return nil, ErrRefused
		}
		c.login = true
		if asks {
			c.digest = challenge.digest
		}
	}
}

// refuses reports whether an answer is the fault of somebody who may not ask.
func (e *element) refuses() bool {
	fault := e.find("Fault")
	if fault == nil {
		return false
	}
	for _, v := range append(fault.all("Value"), fault.all("faultcode")...) {
		_, local, found := strings.Cut(v.content, ":")
		if !found {
			local = v.content
		}
		switch strings.TrimSpace(local) {
		case "NotAuthorized", "FailedAuthentication", "SenderNotAuthorized":
			return true
		}
	}
	return false
}

// unauthorized is the answer 401, with what the device asks to be told.
type unauthorized struct{ digest *digest }

func (*unauthorized) Error() string { return ErrRefused.Error() }
func (*unauthorized) Unwrap() error { return ErrRefused }

// post sends one envelope and reads the answer to it.
func (c *Client) post(ctx context.Context, path, body, authorization string) (*element, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the path of its service", ErrMalformed)
	}
	r.Header.Set("Content-Type", `application/soap+xml; charset=utf-8`)
	r.Header.Set("User-Agent", "Latchkey")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() // read only
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case len(text) > maxAnswer:
		return nil, ErrTooLarge
	case res.StatusCode == http.StatusUnauthorized:
		return nil, &unauthorized{parseDigest(res.Header.Values("WWW-Authenticate"))}
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return nil, fmt.Errorf("%w: it is a redirection", ErrMalformed)
	}
	return parse(text)
}

func envelope(security, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="` + soapNS + `">` +
		`<s:Header>` + security + `</s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

// token proves that we know the password, for some seconds of the device's own clock: a
// device whose clock is off refuses the right time.
func (c *Client) token() string {
	var nonce [16]byte
	rand.Read(nonce[:])
	created := time.Now().Add(c.offset).UTC().Format("2006-01-02T15:04:05Z")
	sum := sha1.New() // the protocol's choice
	sum.Write(nonce[:])
	io.WriteString(sum, created+c.config.Credentials.Password.Reveal())
	return `<Security s:mustUnderstand="1" xmlns="` + secureNS + `secext-1.0.xsd"><UsernameToken>` +
		`<Username>` + escape(c.config.Credentials.User.Reveal()) + `</Username>` +
		`<Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">` +
		base64.StdEncoding.EncodeToString(sum.Sum(nil)) + `</Password>` +
		`<Nonce EncodingType="` + secureNS[:len(secureNS)-len("wssecurity-")] + `soap-message-security-1.0#Base64Binary">` + base64.StdEncoding.EncodeToString(nonce[:]) + `</Nonce>` +
		`<Created xmlns="` + secureNS + `utility-1.0.xsd">` + created + `</Created></UsernameToken></Security>`
}
