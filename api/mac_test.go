package api_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"

	"github.com/latchkey-cam/latchkey/api"
)

// TestMACsBindEverything: nothing that goes into a MAC can be another, or be shifted
// into its neighbour.
func TestMACsBindEverything(t *testing.T) {
	one := mac.RequestMAC("GET", "/a", "r1", nil)
	two := mac.AnswerMAC("r1", 200, []byte("body"))
	seen := map[string]string{one: "the request", two: "the answer"}
	other := api.MACKey{1}
	for what, got := range map[string]string{
		"another key":             other.RequestMAC("GET", "/a", "r1", nil),
		"another method":          mac.RequestMAC("PUT", "/a", "r1", nil),
		"another path":            mac.RequestMAC("GET", "/b", "r1", nil),
		"another query":           mac.RequestMAC("GET", "/a?b", "r1", nil),
		"another request":         mac.RequestMAC("GET", "/a", "r2", nil),
		"another body":            mac.RequestMAC("GET", "/a", "r1", []byte{0}),
		"method and path shifted": mac.RequestMAC("GET/", "a", "r1", nil),
		"path and ID shifted":     mac.RequestMAC("GET", "/ar", "1", nil),
		"an answer's key":         other.AnswerMAC("r1", 200, []byte("body")),
		"an answer's request":     mac.AnswerMAC("r2", 200, []byte("body")),
		"an answer's status":      mac.AnswerMAC("r1", 404, []byte("body")),
		"an answer's body":        mac.AnswerMAC("r1", 200, []byte("bodY")),
	} {
		if same, ok := seen[got]; ok {
			t.Errorf("%s gives the MAC of %s", what, same)
		}
		seen[got] = what
	}
	if !api.SameMAC(one, mac.RequestMAC("GET", "/a", "r1", nil)) || api.SameMAC(one, two) || api.SameMAC(one, one+"\n") || api.SameMAC(one, "") {
		t.Error("MACs are compared wrongly")
	}
}

func TestMACKeyPrintsNothing(t *testing.T) {
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", mac)
	_, said, _ := bytes.Cut(log.Bytes(), []byte(`"msg"`)) // the key's bytes are 15, and so may be the time
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%d", "%s", "%q"} {
		if got := fmt.Sprintf(verb, mac); got != "(MAC key)" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if bytes.Contains(said, []byte("15")) || !bytes.Contains(said, []byte("(MAC key)")) {
		t.Errorf("a log says %s", log.String())
	}
}
