package live_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"encoding/binary"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	moment      = latchkey.Time(1740840000000000)
	second      = latchkey.Time(1_000_000)
	incarnation = 7
)

var init1080 = live.Init{Type: `video/mp4; codecs="avc1.640028"`, Segment: []byte("ftyp and moov")}

// maker makes messages byte by byte: genuine ones, and from them those that have one
// thing wrong.
type maker struct {
	t     *testing.T
	homes map[string]*keytest.Home
	asker *key.Private // brought by the knock
	runs  [2]run
}

// run is a run of which the maker knows the key.
type run struct {
	id  latchkey.RunID
	key []byte
}

// wish is how a knock or a grant is made; what is left out is as an honest writer has it.
type wish[T any] struct {
	home   string       // A
	title  *deed.Title  // the chain that the writer knew
	agent  int          // of the home
	camera int          // of the home
	about  func(is *T)  // changes what the body is bound to
	plain  []byte       // the content
	to     *key.Private // to which it is sealed
	wraps  func(is *T)  // changes recipient and body before they are signed
	signer ed25519.PrivateKey
	after  func(b []byte) []byte // changes the signed bytes
}

func (m maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// complete gives a wish the home's own title.
func (w wish[T]) complete(m maker) (wish[T], *keytest.Home) {
	if w.home == "" {
		w.home = "A"
	}
	h := m.homes[w.home]
	if w.title == nil {
		w.title = h.Title()
	}
	return w, h
}

// write seals and signs a knock or a grant.
func write[T any](m maker, w wish[T], is *T, of parcel.Sealed, kind sealed.RecipientKind) []byte {
	p := of.Parts()
	p.Head, p.Signer = w.title.Head(), deed.Ed25519Key(w.signer.Public().(ed25519.PublicKey)).ID()
	if w.about != nil {
		w.about(is)
	}
	to := sealed.Recipient{Recipient: kind, Key: w.to.Public(), Epoch: w.title.Epoch()}
	m.must(parcel.Seal(of, []sealed.Recipient{to}, w.plain))
	if w.wraps != nil {
		w.wraps(is)
	}
	p.Signatures = [][]byte{ed25519.Sign(w.signer, of.SignedMessage())}
	b := of.(interface{ Bytes() []byte }).Bytes()
	if w.after != nil {
		b = w.after(b)
	}
	return b
}

func (m maker) knock(w wish[sealed.Knock]) []byte {
	w, h := w.complete(m)
	agent := h.Agent(w.agent).Keys
	if w.signer == nil {
		w.signer = h.OwnerKeys().DeviceSigning
	}
	if w.to == nil {
		w.to = agent.KEM
	}
	if w.plain == nil {
		w.plain = m.asker.Public().Bytes
	}
	k := &sealed.Knock{
		Stream: sealed.Stream{Home: w.title.Home(), Camera: h.Camera(w.camera), Kind: sealed.MainStream},
		Agent:  agent.Agent, Time: moment, Expires: moment + sealed.MaxKnockLife,
	}
	copy(k.Nonce[:], m.asker.Seed())
	return write(m, w, k, k, sealed.ToAgent)
}

// grant answers a knock.
func (m maker) grant(knock []byte, w wish[sealed.Grant]) []byte {
	w, h := w.complete(m)
	agent := h.Agent(w.agent).Keys
	if w.signer == nil {
		w.signer = agent.Signing
	}
	if w.to == nil {
		w.to = m.asker
	}
	if w.plain == nil {
		w.plain = live.Content(m.runs[0].key, init1080)
	}
	g := &sealed.Grant{
		Stream: sealed.Stream{Home: w.title.Home(), Camera: h.Camera(w.camera), Kind: sealed.MainStream},
		Agent:  agent.Agent, Run: m.runs[0].id, From: 5, Incarnation: incarnation, Number: 1, Time: moment + second/10,
	}
	if k, err := sealed.ParseKnock(knock); err == nil {
		g.Knock = k.Hash()
	}
	return write(m, w, g, g, sealed.ToAsker)
}

// piece is how a fragment is made; what is left out is as an honest agent has it.
type piece struct {
	home          string // A
	agent, camera int
	run           int
	sequence      uint32
	key           bool
	media         string // named for its number
	about         func(f *sealed.Fragment)
	sealed        func(f *sealed.Fragment) // changes it before it is signed
	signer        ed25519.PrivateKey
	after         func(b []byte) []byte
}

// fragment makes a fragment. Its time is a second for each number.
func (m maker) fragment(p piece) []byte {
	if p.home == "" {
		p.home = "A"
	}
	h := m.homes[p.home]
	if p.signer == nil {
		p.signer = h.Agent(p.agent).Keys.Signing
	}
	f := sealed.Fragment{
		Stream: sealed.Stream{Home: h.Title().Home(), Camera: h.Camera(p.camera), Kind: sealed.MainStream},
		Run:    m.runs[p.run].id, Sequence: p.sequence, Key: p.key, Time: moment + latchkey.Time(p.sequence)*second,
	}
	if p.about != nil {
		p.about(&f)
	}
	f.Sealed = m.seal(p.run, f, media(p))
	if p.sealed != nil {
		p.sealed(&f)
	}
	f.Signatures = [][]byte{ed25519.Sign(p.signer, f.SignedMessage())}
	b := f.Bytes()
	if p.after != nil {
		b = p.after(b)
	}
	return b
}

// media is what a piece shows.
func media(p piece) []byte {
	if p.media == "" {
		p.media = "pictures of camera " + string(rune('0'+p.camera)) + " of home " + p.home + ", number " + string(rune('0'+p.sequence))
	}
	return []byte(p.media)
}

// seal seals as docs/live.md says, and not as the package does it.
func (m maker) seal(run int, f sealed.Fragment, media []byte) []byte {
	block, err := aes.NewCipher(m.runs[run].key)
	m.must(err)
	gcm, err := cipher.NewGCM(block)
	m.must(err)
	nonce := binary.BigEndian.AppendUint32(make([]byte, 8), f.Sequence)
	return gcm.Seal(nil, nonce, media, f.Header())
}
