package sealed_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// maker makes the object files of the vectors: a genuine one, and from it those that
// have one thing wrong.
type maker struct {
	t     testing.TB
	homes map[string]*keytest.Home
}

// picture is the content of most vectors; film has three chunks.
var (
	picture = []byte("This stands in for a picture of the front door.")
	film    = bytes.Repeat([]byte("frame after frame "), 2000)
)

func (m maker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m maker) home(name string) *keytest.Home { return m.homes[name] }

// object is a genuine object of home A: of the first camera, sealed now.
func (m maker) object(kind latchkey.Kind, content []byte) keytest.Object {
	a := m.home("A")
	return a.Agent(0).Object(a.Title(), a.Camera(0), kind, content)
}

func (m maker) thumbnail() keytest.Object { return m.object(latchkey.Thumbnail, picture) }
func (m maker) clip() keytest.Object      { return m.object(latchkey.Clip, film) }

// bound is a genuine object of a binding that was changed before it was sealed.
func (m maker) bound(change func(b *sealed.Binding)) keytest.Object {
	a := m.home("A")
	b := a.Agent(0).Bind(a.Title(), a.Camera(0), latchkey.Thumbnail)
	change(&b)
	return a.Agent(0).Seal(a.Title(), b, picture)
}

// altered changes the binding of a genuine object after it was signed.
func (m maker) altered(change func(b *sealed.Binding)) keytest.Object {
	o := m.thumbnail()
	change(&o.File.Header.Binding)
	return o
}

// signed gives o another body and a genuine signature over it.
func (m maker) signed(o keytest.Object, body []byte) keytest.Object {
	o.Body = body
	o.File.Header = m.home("A").Agent(0).Sign(o.File.Header.Binding, body)
	return o
}

// signedBy signs o with another key, and names that key in the binding if told to.
func (m maker) signedBy(o keytest.Object, k ed25519.PrivateKey, named bool) keytest.Object {
	h := o.File.Header
	if named {
		h.Binding.AgentKey = deed.Ed25519Key(k.Public().(ed25519.PublicKey)).ID()
	}
	h.Signatures = [][]byte{ed25519.Sign(k, h.SignedMessage())}
	o.File.Header = h
	return o
}

// wrap makes an envelope of o's key.
func (m maker) wrap(o keytest.Object, kind sealed.RecipientKind, to deed.Key, epoch latchkey.Epoch) sealed.Envelope {
	e, err := seal.Wrap(o.Key, o.File.Header.Binding, kind, to, epoch)
	m.must(err)
	return e
}

func (m maker) epochKey(home string, e latchkey.Epoch) deed.Key {
	k, ok := m.home(home).Title().EpochKey(e)
	if !ok {
		m.t.Fatalf("home %s has no epoch %d", home, e)
	}
	return k
}

// with gives o these envelopes and no others.
func with(o keytest.Object, envelopes ...sealed.Envelope) keytest.Object {
	o.File.Envelopes = envelopes
	return o
}

// encrypted encrypts content again under the key of o, with the binding as context.
func (m maker) encrypted(o keytest.Object, content []byte) []byte {
	body, err := cobblestone.Seal(o.Key[:], o.File.Header.Binding.Bytes(), content)
	m.must(err)
	return body
}

// instance is a way to do chunked encryption, right or wrong.
type instance struct {
	hash    func() hash.Hash
	aead    string
	keySize int
	context func(b []byte) []byte
	salt    int
}

func cobblestone256() instance {
	return instance{sha512.New, "AEAD_AES_256_GCM", 32, func(b []byte) []byte { return b }, 24}
}

// encrypt follows docs/seal.md, "Body", in another instantiation.
func (i instance) encrypt(m maker, o keytest.Object, content []byte) []byte {
	salt := make([]byte, i.salt)
	rand.Read(salt)
	info := slices.Concat([]byte("c2sp.org/chunked-encryption@v1+"+i.aead+"\x00"), salt, i.context(o.File.Header.Binding.Bytes()))
	derived, err := hkdf.Expand(i.hash, o.Key[:], string(info), i.keySize+12+32)
	m.must(err)
	block, err := aes.NewCipher(derived[:i.keySize])
	m.must(err)
	gcm, err := cipher.NewGCM(block)
	m.must(err)
	out := slices.Concat(salt, derived[i.keySize+12:])
	for n := uint64(0); ; n++ {
		nonce := slices.Clone(derived[i.keySize:][:12])
		binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^n)
		size := min(len(content), cobblestone.ChunkSize)
		out = gcm.Seal(out, nonce, content[:size], nil)
		if content = content[size:]; size < cobblestone.ChunkSize {
			return out
		}
	}
}

// inSuite seals o's key to an epoch in another suite of HPKE.
func (m maker) inSuite(o keytest.Object, kdf hpke.KDF, aead hpke.AEAD) keytest.Object {
	k := m.epochKey("A", 2)
	public, err := hpke.MLKEM768X25519().NewPublicKey(k.Bytes)
	m.must(err)
	e := o.File.Envelopes[0]
	e.Sealed, err = hpke.Seal(public, kdf, aead, sealed.EnvelopeInfo(o.File.Header.Binding, e.Recipient, e.Key, e.Epoch), o.Key[:])
	m.must(err)
	return with(o, e)
}

// Where the parts of the file of one object with one envelope begin.
const (
	headerAt    = len(sealed.Magic) + 2
	bindingAt   = headerAt + 2
	lengthAt    = bindingAt + sealed.BindingSize
	signatureAt = lengthAt + 8 + 32 + 1 + 2
	countAt     = signatureAt + 64
	envelopeAt  = countAt + 2 + 2
	bodyAt      = envelopeAt + 1 + 1 + 32 + 8 + 2 + sealed.SealedKeySize
)

// bytesAt puts other bytes over those at that place of a file.
func bytesAt(file []byte, at int, p ...byte) []byte {
	file = bytes.Clone(file)
	copy(file[at:], p)
	return file
}

// flip turns one bit of the byte at that place.
func flip(file []byte, at int) []byte { return bytesAt(file, at, file[at]^1) }

// insert puts bytes in between.
func insert(file []byte, at int, p ...byte) []byte { return slices.Insert(bytes.Clone(file), at, p...) }

// chunkOf is a chunk of a body with its tag.
func chunkOf(body []byte, i int) []byte {
	const sealedChunk = cobblestone.ChunkSize + cobblestone.TagSize
	from := cobblestone.Overhead + i*sealedChunk
	return body[from:min(len(body), from+sealedChunk)]
}

// TestPlaces holds the places above against a real file.
func TestPlaces(t *testing.T) {
	m := maker{t, keytest.ReadHomes(homesFile)}
	o := m.thumbnail()
	file, h := o.Bytes(), o.File.Header
	for what, same := range map[string]bool{
		"binding":   bytes.HasPrefix(file[bindingAt:], h.Binding.Bytes()),
		"length":    binary.BigEndian.Uint64(file[lengthAt:]) == h.BodyLength,
		"signature": bytes.HasPrefix(file[signatureAt:], h.Signatures[0]),
		"count":     binary.BigEndian.Uint16(file[countAt:]) == 1,
		"envelope":  bytes.HasPrefix(file[envelopeAt:], o.File.Envelopes[0].Bytes()),
		"body":      bytes.Equal(file[bodyAt:], o.Body),
	} {
		if !same {
			t.Errorf("the %s is not where the vectors look for it", what)
		}
	}
}
