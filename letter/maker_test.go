package letter_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	moment      = latchkey.Time(1740840000000000)
	incarnation = 7
)

// maker makes letters byte by byte: genuine ones, and from them those that have one
// thing wrong.
type maker struct {
	t     *testing.T
	homes map[string]*keytest.Home
	asker *key.Private // brought by the command
	sent  []byte       // the command that replies answer
}

// writing is how a letter is made; what is left out is as an honest writer has it.
type writing struct {
	kind   sealed.LetterKind
	home   string                 // A
	agent  int                    // of home A
	title  *deed.Title            // the chain that the writer knew
	about  func(l *sealed.Letter) // changes what the body is bound to
	plain  string                 // the content
	to     *sealed.Recipient
	wraps  func(l *sealed.Letter) // changes recipient and body before they are signed
	signer ed25519.PrivateKey
	after  func(b []byte) []byte // changes the signed bytes
}

func (m maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// honest completes a writing.
func (m maker) honest(w writing) (writing, sealed.Letter) {
	if w.home == "" {
		w.home = "A"
	}
	if w.title == nil {
		w.title = m.homes[w.home].Title()
	}
	agent := m.homes[w.home].Agent(w.agent).Keys
	epoch := w.title.Epoch()
	l := sealed.Letter{
		Kind: w.kind, Home: w.title.Home(), Agent: agent.Agent, ID: latchkey.NewLetterID(), Incarnation: incarnation,
		Time: moment,
	}
	l.Head = w.title.Head()
	signer, to, plain := agent.Signing, sealed.Recipient{}, ""
	switch w.kind {
	case sealed.CommandLetter:
		l.Expires = moment + sealed.MaxCommandLife
		signer, to = m.homes[w.home].OwnerKeys().DeviceSigning, sealed.Recipient{Recipient: sealed.ToAgent, Key: agent.KEM.Public(), Epoch: epoch}
		plain = m.command(`"do":"discover"`)
	case sealed.ReplyLetter:
		l.Number, l.Re = 1, sha256.Sum256(m.sent)
		to, plain = sealed.Recipient{Recipient: sealed.ToAsker, Key: m.asker.Public(), Epoch: epoch}, `{"v":1,"devices":[]}`
	case sealed.ConditionLetter:
		l.Number = 3
		k, _ := w.title.EpochKey(epoch)
		to, plain = sealed.Recipient{Recipient: sealed.ToEpoch, Key: k, Epoch: epoch}, condition
	}
	if w.signer == nil {
		w.signer = signer
	}
	if w.to == nil {
		w.to = &to
	}
	if w.plain == "" {
		w.plain = plain
	}
	l.Signer = deed.Ed25519Key(w.signer.Public().(ed25519.PublicKey)).ID()
	return w, l
}

func (m maker) make(w writing) []byte {
	w, l := m.honest(w)
	if w.about != nil {
		w.about(&l)
	}
	m.must(parcel.Seal(&l, []sealed.Recipient{*w.to}, []byte(w.plain)))
	if w.wraps != nil {
		w.wraps(&l)
	}
	l.Signatures = [][]byte{ed25519.Sign(w.signer, l.SignedMessage())}
	b := l.Bytes()
	if w.after != nil {
		b = w.after(b)
	}
	return b
}

// command is the content of a command with these members.
func (m maker) command(members string) string {
	reply := base64.StdEncoding.EncodeToString(m.asker.Public().Bytes)
	return `{"v":1,"reply":"` + reply + `",` + m.named(members) + `}`
}

// named puts the IDs of homes.json into JSON.
func (m maker) named(plain string) string {
	return strings.ReplaceAll(plain, "CAMERA", m.homes["A"].Camera(0).String())
}

const (
	pin       = `"pin":{"mac":"","serial":"","certificate":""}`
	condition = `{"v":1,"version":"1.0","name":"attic","started":1,"clock":{"quality":"synchronised","boots":[]},` +
		`"cameras":[],"spool":{"objects":0,"bytes":0,"limit":1,"says":""},"disk":{"free":1,"says":""}}`
	cameraCondition = `{"camera":"CAMERA","state":"recording","recording":true,"since":1,"says":"","last":2,"width":1920,"height":1080,` +
		`"codec":"avc1.64001f","rate":14.98,"audio":"","motion":"","events_24h":3}`
	foundStream = `{"role":"main","address":"rtsp://192.0.2.7/1","codec":"H.264","profile":"High","width":1920,"height":1080,"rate":14.98,` +
		`"key_interval_ms":2000,"b_frames":false,"bitrate":2000000,"audio":"PCMA","still":"/9j/4A==",` +
		`"findings":[{"severity":"good","code":"key-interval","says":"A key frame every two seconds.","fix":""}]}`
	pieces = `{"v":1,"type":"video/mp4","init":"AAAA","pieces":[{"sequence":7,"time":5,"lasts":2000000,"key":true,"motion":9,"damaged":false,"offset":0,"of":3,"bytes":3}],"more":true,"group":8,"offset":0}` + "\x00abc"
	found  = `{"v":1,"found":{"host":"192.0.2.7","brand":"Acme","streams":[` + foundStream + `],"clock":{"known":true,"offset_ms":-1200},` + pin + `,"findings":[]}}`
)

// with gives JSON another member's value, or without one if to is "".
func with(plain, from, to string) string {
	if !strings.Contains(plain, from) {
		panic("no " + from + " in " + plain)
	}
	return strings.Replace(plain, from, to, 1)
}
