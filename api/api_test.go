package api_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
)

var update = flag.Bool("update", false, "write testdata and openapi.json anew")

// vectors are what the formats of docs/wire.md come to for fixed inputs. They hold
// from the first release on, and other implementations check themselves by them.
type vectors struct {
	Join struct {
		Secret       string `json:"secret"`
		Slot         string `json:"slot"`
		Link         string `json:"link"`
		Announcement []byte `json:"announcement"`
		Agent        []byte `json:"agent"`
		Answer       []byte `json:"answer"`
	} `json:"join"`
	Seed    []byte `json:"seed"` // of the Ed25519 key that signs everything below
	SignIn  signed `json:"sign_in"`
	Hello   signed `json:"hello"`
	Request signed `json:"request"`
	Ask     signed `json:"ask"`
	MAC     struct {
		Key     []byte `json:"key"`
		Body    []byte `json:"body"`    // of both
		Request string `json:"request"` // POST /v1/objects/a/b?from=5, ID r1
		Answer  string `json:"answer"`  // to it, status 201
	} `json:"mac"`
}

type signed struct {
	Message   []byte `json:"message,omitempty"` // what is signed
	Signature []byte `json:"signature,omitempty"`
	Text      string `json:"text,omitempty"`  // of a header
	Bytes     []byte `json:"bytes,omitempty"` // of an ask
}

var (
	home   = latchkey.HomeID(bytes.Repeat([]byte{1}, 32))
	agent  = latchkey.AgentID(bytes.Repeat([]byte{2}, 16))
	camera = latchkey.CameraID(bytes.Repeat([]byte{3}, 16))
	device = latchkey.DeviceID(bytes.Repeat([]byte{4}, 16))
	head   = latchkey.Head{Seq: 5, Hash: [32]byte(bytes.Repeat([]byte{6}, 32))}
	now    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seed   = bytes.Repeat([]byte{7}, 32)
	key    = ed25519.NewKeyFromSeed(seed)
	keys   = []deed.Key{deed.Ed25519Key(key.Public().(ed25519.PublicKey))}
	nonce  = bytes.Repeat([]byte{8}, 32)
	secret = api.JoinSecret(bytes.Repeat([]byte{9}, 16))
	body   = deed.AgentBody{Agent: agent, Signing: keys, KEM: deed.XWingKey(bytes.Repeat([]byte{10}, 1216))}
	path   = "/v1/objects/a/b"
	mac    = api.MACKey(bytes.Repeat([]byte{15}, 32))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func announcement() []byte {
	return secret.Announce(api.Announcement{Home: home, Head: head, Expires: latchkey.TimeOf(now.Add(time.Minute))})
}

func hello() api.Hello {
	return api.Hello{
		ID: "h1", Home: home, Agent: agent, Head: head.String(), Incarnation: 11,
		Token: bytes.Repeat([]byte{12}, 32), NextToken: bytes.Repeat([]byte{13}, 32),
	}
}

func request() api.AgentRequest {
	return api.AgentRequest{Home: home, Agent: agent, Head: head, Expires: latchkey.TimeOf(now.Add(30 * time.Second)), Nonce: [16]byte(nonce)}
}

func ask() api.Ask {
	return must(api.Ask{
		Home: home, Agent: agent, Camera: camera, Head: head, Time: latchkey.TimeOf(now),
		Key: keys[0].ID(), Epoch: 1, SealedName: bytes.Repeat([]byte{14}, 1200),
	}.Sign(key))
}

func made() (v vectors) {
	v.Join.Secret, v.Join.Slot = secret.Text(), secret.Slot().String()
	v.Join.Link = api.Link{Origin: "https://example.org", Secret: secret, Home: &home, Head: &head}.Text()
	v.Join.Announcement, v.Join.Agent = announcement(), body.AgentBytes()
	v.Join.Answer = must(secret.Answer(v.Join.Announcement, body))
	v.Seed = seed
	v.SignIn.Message = api.SignInMessage(nonce, home, device, head, mac)
	v.SignIn.Signature = ed25519.Sign(key, v.SignIn.Message)
	h := must(api.SignHello(hello(), nonce, key))
	v.Hello.Message = api.HelloMessage(nonce, home, agent, &head, h.Incarnation, h.Token, h.NextToken)
	v.Hello.Signature = h.Signature
	v.Request.Text = must(request().Sign(key, "PUT", path))
	v.Ask.Bytes = ask().Bytes()
	v.MAC.Key, v.MAC.Body = mac[:], []byte(`{"v":1}`)
	v.MAC.Request = mac.RequestMAC("POST", path+"?from=5", "r1", v.MAC.Body)
	v.MAC.Answer = mac.AnswerMAC("r1", 201, v.MAC.Body)
	return v
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	want := made()
	if *update {
		b := must(json.MarshalIndent(want, "", "\t"))
		if err := os.WriteFile("testdata/vectors.json", append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(readVectors(t), want); d != "" {
		t.Errorf("the formats have changed (-kept +now):\n%s", d)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	type message struct {
		V    api.V           `json:"v"`
		Home latchkey.HomeID `json:"home"`
		Text string          `json:"text"`
		Some []byte          `json:"some,omitempty"`
	}
	id := home.String()
	for _, tt := range []struct {
		name, json string
		want       error
	}{
		{"good", `{"v":1,"home":"` + id + `","text":"x"}`, nil},
		{"good, with what may be absent", ` {"text":"x","some":"AA==","home":"` + id + "\",\"v\":1}\n", nil},
		{"unknown member", `{"v":1,"home":"` + id + `","text":"x","more":1}`, api.ErrMalformed},
		{"another case", `{"v":1,"HOME":"` + id + `","text":"x"}`, api.ErrMalformed},
		{"both cases", `{"v":1,"home":"` + id + `","Home":"` + id + `","text":"x"}`, api.ErrMalformed},
		{"twice", `{"v":1,"home":"` + id + `","home":"` + id + `","text":"x"}`, api.ErrMalformed},
		{"missing", `{"v":1,"home":"` + id + `"}`, api.ErrMalformed},
		{"null", `{"v":1,"home":null,"text":"x"}`, api.ErrMalformed},
		{"no version", `{"home":"` + id + `","text":"x"}`, api.ErrMalformed},
		{"a later version", `{"v":2,"whatever":[]}`, api.ErrVersion},
		{"version as text", `{"v":"1","home":"` + id + `","text":"x"}`, api.ErrVersion},
		{"two values", `{"v":1,"home":"` + id + `","text":"x"} {}`, api.ErrMalformed},
		{"something behind", `{"v":1,"home":"` + id + `","text":"x"}]`, api.ErrMalformed},
		{"no object", `[1]`, api.ErrMalformed},
		{"nothing", ``, api.ErrMalformed},
		{"broken off", `{"v":1,"home":"` + id + `","text":"x"`, api.ErrMalformed},
		{"an ID in upper case", `{"v":1,"home":"` + strings.ToUpper(id) + `","text":"x"}`, api.ErrMalformed},
		{"bytes that are no base64", `{"v":1,"home":"` + id + `","text":"x","some":"?"}`, api.ErrMalformed},
		{"another type", `{"v":1,"home":"` + id + `","text":7}`, api.ErrMalformed},
	} {
		var m message
		if err := api.Decode([]byte(tt.json), &m); !errors.Is(err, tt.want) || tt.want == nil && m.Home != home {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestHeadHasOneSpelling(t *testing.T) {
	if got, err := latchkey.ParseHead(head.String()); got != head || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	hex := strings.Repeat("06", 32)
	for _, s := range []string{"", "5", "5:", ":" + hex, "05:" + hex, "+5:" + hex, "-1:" + hex, "5:" + hex + "06", "5:" + strings.Repeat("0A", 32), "9007199254740992:" + hex, "5:" + hex[1:] + "g"} {
		if h, err := latchkey.ParseHead(s); err == nil {
			t.Errorf("%q is read as %s", s, h)
		}
	}
}

func TestRequestID(t *testing.T) {
	for _, s := range []string{"", strings.Repeat("a", 65), "a b", "a/b", "ä", "a\n"} {
		if api.CheckRequestID(s) == nil {
			t.Errorf("%q is taken for the ID of a request", s)
		}
	}
	for _, s := range []string{"a", strings.Repeat("Z", 64), "a-b_9", api.NewRequestID()} {
		if err := api.CheckRequestID(s); err != nil {
			t.Error(err)
		}
	}
}

func TestFrames(t *testing.T) {
	for _, f := range []api.Frame{
		api.Challenge{Nonce: nonce, Time: 1},
		hello(),
		api.Welcome{ID: "a", Home: home, Head: api.Head(head), Incarnation: 1, Deeds: [][]byte{{1}}, Settings: []byte{}},
		api.DeedsFrame{Home: home, Head: api.Head(head), Deeds: [][]byte{{1}, {2}}},
		api.SettingsFrame{Home: home, Document: []byte{1}},
		api.AskFrame{ID: "a", Home: home, Ask: []byte{1}},
		api.CommandFrame{ID: "a", Home: home, Letter: []byte{1}},
		api.StopFrame{ID: "a", Home: home},
		api.ReplyFrame{ID: "a", Home: home, Letter: []byte{1}, Last: true},
		api.ConditionFrame{ID: "a", Home: home, Letter: []byte{1}},
		api.Done{ID: "a", Home: home},
		api.Refused{ID: "a", Reason: api.Busy, Message: "later", RetryAfterMS: 5},
	} {
		b := must(api.EncodeFrame(f))
		if f, ok := f.(api.Hello); ok {
			f.Signature = []byte{}
			b = must(api.EncodeFrame(f))
		}
		got, err := api.DecodeFrame(b)
		if err != nil || reflect.TypeOf(got) != reflect.TypeOf(f) || string(must(api.EncodeFrame(got))) != string(b) {
			t.Errorf("%T comes back as %T, %v", f, got, err)
		}
	}
	for _, b := range []string{`{}`, `{"v":1}`, `{"v":1,"type":"x"}`, `{"v":1,"type":"done"}`, `{"v":1,"type":"done","id":"a","home":"` + home.String() + `","more":1}`, `x`, `[]`} {
		if f, err := api.DecodeFrame([]byte(b)); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("%s is read as %T, %v", b, f, err)
		}
	}
	if _, err := api.DecodeFrame([]byte(`{"v":2,"type":"new"}`)); !errors.Is(err, api.ErrVersion) {
		t.Errorf("a message of version 2: %v", err)
	}
}
