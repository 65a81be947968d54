package sealed_test

import (
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// drawing is one vector that Go has written.
type drawing struct {
	name, says, expect string
	make               func(m maker) made
}

// made is a file and the question it is opened with. The reader is in home A and asks
// for the object by its name, unless it says otherwise.
type made struct {
	file    []byte
	home    string
	asked   latchkey.Name
	content []byte
}

// of asks for an object by its own name.
func of(o keytest.Object) made { return made{o.Bytes(), "A", o.Name(), picture} }

// unasked opens a file without a question.
func (m made) unasked() made { m.asked = latchkey.Name{}; return m }

// as opens a file with another question.
func (m made) as(change func(n *latchkey.Name)) made { change(&m.asked); return m }

// holding says what the content is.
func (m made) holding(content []byte) made { m.content = content; return m }

// but alters the file.
func (m made) but(alter func(file []byte) []byte) made { m.file = alter(m.file); return m }

func drawings() []drawing {
	return slices.Concat(genuine(), layouts(), questions(), signatures(), bodies(), envelopes(), replaced(), alone())
}

func genuine() []drawing {
	return []drawing{
		{"thumbnail", "a thumbnail", "opened", func(m maker) made { return of(m.thumbnail()) }},
		{"unasked", "a file in somebody's hands, without a question", "opened", func(m maker) made { return of(m.thumbnail()).unasked() }},
		{"clip", "a clip of three chunks", "opened", func(m maker) made { return of(m.clip()).holding(film) }},
		{"description", "a description", "opened", func(m maker) made {
			content := []byte(`{"v":1,"start":1740852010000000,"end":1740852022000000,"cause":"motion","score":0.5}`)
			return of(m.object(latchkey.Description, content)).holding(content)
		}},
		{"empty", "content of no bytes is one chunk of none", "opened", func(m maker) made {
			return of(m.object(latchkey.Thumbnail, nil)).holding(nil)
		}},
		{"one-chunk", "content of 16,384 bytes is two chunks, the second empty", "opened", func(m maker) made {
			return of(m.object(latchkey.Thumbnail, film[:16384])).holding(film[:16384])
		}},
		{"second-agent", "an object of the second agent's camera", "opened", func(m maker) made {
			a := m.home("A")
			return of(a.Agent(1).Object(a.Title(), a.Camera(2), latchkey.Thumbnail, picture))
		}},
		{"neighbours-at-home", "an object of home B, read in home B", "opened", func(m maker) made {
			b := m.home("B")
			v := of(b.Agent(0).Object(b.Title(), b.Camera(0), latchkey.Thumbnail, picture))
			v.home = "B"
			return v
		}},
		{"first-epoch", "sealed and wrapped in the first epoch, read in the second", "opened", func(m maker) made {
			return of(m.home("A").Agent(0).Object(m.home("A").Until(5), m.home("A").Camera(0), latchkey.Thumbnail, picture))
		}},
		{"wrapped-later", "sealed in the first epoch, wrapped in the second", "opened", func(m maker) made {
			o := m.home("A").Agent(0).Object(m.home("A").Until(5), m.home("A").Camera(0), latchkey.Thumbnail, picture)
			return of(with(o, m.wrap(o, sealed.ToEpoch, m.epochKey("A", 2), 2)))
		}},
		{"sealed-before-placed", "the camera was placed after the head at which it was sealed", "opened", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) { b.Head = m.home("A").Until(3).Head() }))
		}},
		{"second-envelope", "the second of two envelopes is for the reader, the first for a person", "opened", func(m maker) made {
			o := m.thumbnail()
			owner := m.home("A").OwnerKeys()
			return of(with(o, m.wrap(o, sealed.ToPerson, owner.KEM.Public(), 2), o.File.Envelopes[0]))
		}},
		{"midnight", "the last microsecond of a day, by a clock of which nothing is known", "opened", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) {
				b.Time = latchkey.TimeOf(time.Date(2025, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
				b.Quality = sealed.TimeUnknown
			}))
		}},
		{"largest-numbers", "the largest numbers that there are", "opened", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) {
				b.Incarnation, b.Sequence, b.Time, b.Monotonic = latchkey.MaxInt, latchkey.MaxInt, latchkey.MaxInt, latchkey.MaxInt
			}))
		}},
	}
}

// layouts have something wrong with their bytes.
func layouts() []drawing {
	thumbnail := func(alter func(file []byte) []byte) func(m maker) made {
		return func(m maker) made { return of(m.thumbnail()).but(alter) }
	}
	at := func(at int, p ...byte) func(m maker) made {
		return thumbnail(func(f []byte) []byte { return bytesAt(f, at, p...) })
	}
	cut := func(n int) func(m maker) made { return thumbnail(func(f []byte) []byte { return f[:n] }) }
	return []drawing{
		{"cut-in-magic", "the file ends within the magic", "truncated", cut(10)},
		{"cut-in-header", "the file ends within the header", "truncated", cut(headerAt + 100)},
		{"cut-before-count", "the file ends after the header", "truncated", cut(countAt)},
		{"cut-in-envelope", "the file ends within the envelope", "truncated", cut(envelopeAt + 1000)},
		{"no-body", "the file ends before the body", "truncated", cut(bodyAt)},
		{"other-magic", "another first letter", "malformed", at(0, 'L')},
		{"no-newline", "the magic ends with a space", "malformed", at(len(sealed.Magic)-1, ' ')},
		{"magic-0", "an object file of version 0", "malformed", at(len(sealed.Magic)-2, '0')},
		{"magic-2", "an object file of version 2", "future-version", at(len(sealed.Magic)-2, '2')},
		{"binding-2", "a binding of version 2", "future-version", at(bindingAt, 2)},
		{"binding-0", "a binding of version 0", "malformed", at(bindingAt, 0)},
		{"suite-2", "a suite that nobody knows", "unknown-suite", at(bindingAt+1, 2)},
		{"kind-9", "a kind that is none", "malformed", at(bindingAt+2, 9)},
		{"quality-3", "a quality of time that is none", "malformed", at(bindingAt+3, 3)},
		{"incarnation-0", "incarnations count from 1", "malformed", at(bindingAt+116, make([]byte, 8)...)},
		{"sequence-0", "sequences count from 1", "malformed", at(bindingAt+124, make([]byte, 8)...)},
		{"time-too-large", "a time above 2^53-1", "malformed", at(bindingAt+132, 0, 0x20)},
		{"head-too-large", "a deed's number above 2^53-1", "malformed", at(bindingAt+164, 0x80)},
		{"body-length-too-large", "a body length above 2^53-1", "malformed", at(lengthAt, 0xff)},
		{"body-of-a-mebibyte-and-one", "a thumbnail whose header gives 1 MiB and a byte", "oversize", at(lengthAt, 0, 0, 0, 0, 0, 0x10, 0, 1)},
		{"header-513", "a header longer than its limit", "oversize", at(headerAt-2, 2, 1)},
		{"header-extended", "a byte too many in the header", "malformed", thumbnail(func(f []byte) []byte {
			return bytesAt(insert(f, countAt, 0), headerAt-2, 1, 0x3a) // 314
		})},
		{"header-short", "the header's own length cuts off its signature", "truncated", at(headerAt-2, 1, 0)},
		{"two-signatures", "two signatures where the agent has one key", "malformed", at(signatureAt-3, 2)},
		{"no-signature", "no signature", "malformed", at(signatureAt-3, 0)},
		{"65-envelopes", "more envelopes than a file may have", "oversize", at(countAt, 0, 65)},
		{"envelope-2049", "an envelope longer than its limit", "oversize", at(envelopeAt-2, 8, 1)},
		{"envelope-extended", "a byte too many in the envelope", "malformed", thumbnail(func(f []byte) []byte {
			return bytesAt(insert(f, bodyAt, 0), envelopeAt-2, 4, 0xbd) // 1213
		})},
		{"envelope-2", "an envelope of version 2", "future-version", at(envelopeAt, 2)},
		{"envelope-0", "an envelope of version 0", "malformed", at(envelopeAt, 0)},
		{"envelope-for-an-agent", "an envelope for an agent: there are none for objects", "malformed", at(envelopeAt+1, 4)},
		{"envelope-epoch-0", "an envelope of epoch 0", "malformed", at(envelopeAt+34, make([]byte, 8)...)},
		{"extended", "a byte after the end of the body", "trailing", thumbnail(func(f []byte) []byte { return append(f, 0) })},
		{"body-a-byte-short", "the last byte of the body is missing", "truncated", thumbnail(func(f []byte) []byte { return f[:len(f)-1] })},
	}
}

// questions are genuine objects, or such whose binding was altered, that are not what
// was asked for.
func questions() []drawing {
	asked := func(change func(m maker, n *latchkey.Name)) func(m maker) made {
		return func(m maker) made {
			return of(m.thumbnail()).as(func(n *latchkey.Name) { change(m, n) })
		}
	}
	// altered asks for what the object was before its binding was altered.
	altered := func(change func(m maker, b *sealed.Binding)) func(m maker) made {
		return func(m maker) made {
			o := m.thumbnail()
			name := o.Name()
			change(m, &o.File.Header.Binding)
			return made{o.Bytes(), "A", name, nil}
		}
	}
	return []drawing{
		{"other-camera-asked", "a genuine object of another camera of the home", "wrong-camera", asked(func(m maker, n *latchkey.Name) { n.Camera = m.home("A").Camera(1) })},
		{"other-day-asked", "a genuine object of another day", "wrong-day", asked(func(m maker, n *latchkey.Name) { n.Day = "2025-03-02" })},
		{"other-kind-asked", "a thumbnail in a clip's place", "wrong-kind", asked(func(m maker, n *latchkey.Name) { n.Kind = latchkey.Clip })},
		{"other-object-asked", "a genuine object of the same camera and day", "wrong-object", asked(func(m maker, n *latchkey.Name) { n.Object[3] ^= 1 })},
		{"neighbours-object", "a genuine object of home B, asked for by its own name in home A", "wrong-home", func(m maker) made {
			b := m.home("B")
			return of(b.Agent(0).Object(b.Title(), b.Camera(0), latchkey.Thumbnail, picture))
		}},
		{"neighbours-object-unasked", "a genuine object of home B, without a question in home A", "wrong-home", func(m maker) made {
			b := m.home("B")
			return of(b.Agent(0).Object(b.Title(), b.Camera(0), latchkey.Thumbnail, picture)).unasked()
		}},
		{"everything-else", "an object of another home, camera, day, kind and name: the home is said first", "wrong-home", func(m maker) made {
			b := m.home("B")
			o := b.Agent(0).Object(b.Title(), b.Camera(0), latchkey.Clip, picture)
			return made{o.Bytes(), "A", m.thumbnail().Name(), nil}
		}},
		{"home-altered", "one bit of the home", "wrong-home", altered(func(m maker, b *sealed.Binding) { b.Home[0] ^= 1 })},
		{"camera-altered", "one bit of the camera", "wrong-camera", altered(func(m maker, b *sealed.Binding) { b.Camera[0] ^= 1 })},
		{"day-altered", "the time a day later", "wrong-day", altered(func(m maker, b *sealed.Binding) { b.Time += 24 * 3600 * 1_000_000 })},
		{"kind-altered", "another kind", "wrong-kind", altered(func(m maker, b *sealed.Binding) { b.Kind = latchkey.Description })},
		{"object-altered", "one bit of the object's ID", "wrong-object", altered(func(m maker, b *sealed.Binding) { b.Object[15] ^= 1 })},
		{"agent-key-altered", "one bit of the agent's key ID", "unknown-signer", altered(func(m maker, b *sealed.Binding) { b.AgentKey[0] ^= 1 })},
		{"head-number-altered", "the head's number one lower", "unknown-head", altered(func(m maker, b *sealed.Binding) { b.Head.Seq-- })},
		{"head-hash-altered", "one bit of the head's hash: a fork", "unknown-head", altered(func(m maker, b *sealed.Binding) { b.Head.Hash[31] ^= 1 })},
		{"quality-altered", "the clock is said to be unknown", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Quality = sealed.TimeUnknown })},
		{"event-altered", "one bit of the event", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Event[0] ^= 1 })},
		{"incarnation-altered", "another incarnation", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Incarnation++ })},
		{"sequence-altered", "another sequence number", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Sequence++ })},
		{"time-altered", "a second later, on the same day", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Time += 1_000_000 })},
		{"boot-altered", "one bit of the boot's ID", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Boot[0] ^= 1 })},
		{"monotonic-altered", "a microsecond of the monotonic clock", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Monotonic++ })},
		{"head-exchanged", "an earlier head of the same chain", "bad-signature", altered(func(m maker, b *sealed.Binding) { b.Head = m.home("A").Until(5).Head() })},
		{"camera-altered-unasked", "the agent's other camera, without a question", "bad-signature", func(m maker) made {
			return of(m.altered(func(b *sealed.Binding) { b.Camera = m.home("A").Camera(1) })).unasked()
		}},
		{"kind-altered-unasked", "another kind, without a question", "bad-signature", func(m maker) made {
			return of(m.altered(func(b *sealed.Binding) { b.Kind = latchkey.Clip })).unasked()
		}},
	}
}

// signatures are of objects that nobody may take, though they are what was asked for.
func signatures() []drawing {
	return []drawing{
		{"head-beyond", "sealed at a deed that the reader has not seen", "unknown-head", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) { b.Head.Seq++ }))
		}},
		{"head-of-the-neighbours", "sealed at a head of another home's chain", "unknown-head", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) { b.Head = m.home("B").Title().Head() }))
		}},
		{"old-version", "a home that takes no objects of version 1", "old-version", func(m maker) made {
			c := m.home("C")
			v := of(c.Agent(0).Object(c.Title(), c.Camera(0), latchkey.Thumbnail, picture))
			v.home = "C"
			return v
		}},
		{"neighbours-agent", "an agent of home B signs for home A", "unknown-signer", func(m maker) made {
			return of(m.signedBy(m.thumbnail(), m.home("B").Agent(0).Keys.Signing, true))
		}},
		{"owner-signs", "the owner signs an object: only agents do", "unknown-signer", func(m maker) made {
			owner := m.home("A").OwnerKeys()
			return of(m.signedBy(m.thumbnail(), owner.Signing, true))
		}},
		{"other-agents-camera", "the second agent signs for the first one's camera", "wrong-agent", func(m maker) made {
			return of(m.signedBy(m.thumbnail(), m.home("A").Agent(1).Keys.Signing, true))
		}},
		{"camera-never-placed", "a camera that no deed has placed", "wrong-agent", func(m maker) made {
			return of(m.bound(func(b *sealed.Binding) { b.Camera = latchkey.NewCameraID() }))
		}},
		{"other-agent-signs", "signed by the second agent in the first one's name", "bad-signature", func(m maker) made {
			return of(m.signedBy(m.thumbnail(), m.home("A").Agent(1).Keys.Signing, false))
		}},
		{"signature-altered", "one bit of the signature", "bad-signature", func(m maker) made {
			return of(m.thumbnail()).but(func(f []byte) []byte { return flip(f, signatureAt+40) })
		}},
		{"length-altered", "the body's length in the header one more", "bad-signature", func(m maker) made {
			return of(m.thumbnail()).but(func(f []byte) []byte { return flip(f, lengthAt+7) })
		}},
		{"hash-altered", "one bit of the body's hash in the header", "bad-signature", func(m maker) made {
			return of(m.thumbnail()).but(func(f []byte) []byte { return flip(f, lengthAt+8) })
		}},
	}
}

// bodies have something wrong with what was encrypted. All but the first three are
// signed as they are, because a signature would catch them first.
func bodies() []drawing {
	signed := func(body func(m maker, o keytest.Object) []byte) func(m maker) made {
		return func(m maker) made {
			o := m.clip()
			return of(m.signed(o, body(m, o)))
		}
	}
	changed := func(change func(body []byte) []byte) func(m maker) made {
		return signed(func(m maker, o keytest.Object) []byte { return change(o.Body) })
	}
	in := func(change func(i *instance)) func(m maker) made {
		i := cobblestone256()
		change(&i)
		return signed(func(m maker, o keytest.Object) []byte { return i.encrypt(m, o, film) })
	}
	return []drawing{
		{"refilled", "a member puts other content of the same length under a genuine header: it opens, and only the hash says no", "wrong-hash", func(m maker) made {
			o := m.thumbnail()
			o.Body = m.encrypted(o, slices.Repeat([]byte("x"), len(picture)))
			return of(o)
		}},
		{"body-altered", "one bit of the body", "wrong-hash", func(m maker) made {
			return of(m.clip()).but(func(f []byte) []byte { return flip(f, bodyAt+20_000) })
		}},
		{"salt-altered", "one bit of the salt", "wrong-hash", func(m maker) made {
			return of(m.clip()).but(func(f []byte) []byte { return flip(f, bodyAt) })
		}},
		{"cobblestone-256", "the reference way of these vectors to encrypt", "opened", func(m maker) made {
			o := m.clip()
			return of(m.signed(o, cobblestone256().encrypt(m, o, film))).holding(film)
		}},
		{"cobblestone-128", "the instantiation with AES-128", "commitment", in(func(i *instance) { i.aead, i.keySize = "AEAD_AES_128_GCM", 16 })},
		{"sha-256", "the instantiation with SHA-256", "commitment", in(func(i *instance) { i.hash = func() hash.Hash { return sha256.New() } })},
		{"no-context", "without the binding as context", "commitment", in(func(i *instance) { i.context = func([]byte) []byte { return nil } })},
		{"hashed-context", "with the hash of the binding as context", "commitment", in(func(i *instance) {
			i.context = func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }
		})},
		{"salt-altered-and-signed", "one bit of the salt, signed", "commitment", changed(func(b []byte) []byte { return flip(b, 0) })},
		{"commitment-altered-and-signed", "one bit of the commitment, signed", "commitment", changed(func(b []byte) []byte { return flip(b, 30) })},
		{"another-key", "an envelope with another key than the body's", "commitment", func(m maker) made {
			o := m.clip()
			o.Key[0] ^= 1
			return of(with(o, m.wrap(o, sealed.ToEpoch, m.epochKey("A", 2), 2)))
		}},
		{"chunk-altered", "one bit of the second chunk, signed", "chunk", changed(func(b []byte) []byte { return flip(b, 56+16400+5) })},
		{"last-chunk-altered", "one bit of the last tag, signed", "chunk", changed(func(b []byte) []byte { return flip(b, len(b)-1) })},
		{"chunks-exchanged", "the first two chunks in each other's place", "chunk", changed(func(b []byte) []byte {
			return slices.Concat(b[:56], chunkOf(b, 1), chunkOf(b, 0), chunkOf(b, 2))
		})},
		{"chunk-replayed", "the first chunk in the second one's place", "chunk", changed(func(b []byte) []byte {
			return slices.Concat(b[:56], chunkOf(b, 0), chunkOf(b, 0), chunkOf(b, 2))
		})},
		{"chunk-dropped", "without the second chunk", "chunk", changed(func(b []byte) []byte {
			return slices.Concat(b[:56], chunkOf(b, 0), chunkOf(b, 2))
		})},
		{"chunk-of-another", "a chunk of another object", "chunk", signed(func(m maker, o keytest.Object) []byte {
			return slices.Concat(o.Body[:56], chunkOf(o.Body, 0), chunkOf(m.clip().Body, 1), chunkOf(o.Body, 2))
		})},
		{"last-chunk-cut", "the last chunk cut short", "chunk", changed(func(b []byte) []byte { return b[:len(b)-100] })},
		{"last-chunk-missing", "without the last chunk: it ends with a full one", "truncated", changed(func(b []byte) []byte {
			return b[:len(b)-len(chunkOf(b, 2))]
		})},
		{"half-a-tag", "the last chunk would be 15 bytes", "truncated", changed(func(b []byte) []byte {
			return b[:len(b)-len(chunkOf(b, 2))+15]
		})},
		{"no-chunk", "salt and commitment, and no chunk", "truncated", changed(func(b []byte) []byte { return b[:56] })},
		{"salt-alone", "less than salt and commitment", "truncated", changed(func(b []byte) []byte { return b[:24] })},
	}
}

// envelopes have something wrong with what the key is wrapped in.
func envelopes() []drawing {
	thumbnail := func(envelope func(m maker, o keytest.Object) sealed.Envelope) func(m maker) made {
		return func(m maker) made {
			o := m.thumbnail()
			return of(with(o, envelope(m, o)))
		}
	}
	epoch := func(key, number latchkey.Epoch) func(m maker) made {
		return thumbnail(func(m maker, o keytest.Object) sealed.Envelope {
			return m.wrap(o, sealed.ToEpoch, m.epochKey("A", key), number)
		})
	}
	return []drawing{
		{"no-envelope", "an object as a server keeps it", "no-envelope", func(m maker) made { return of(with(m.thumbnail())) }},
		{"envelope-for-neighbours", "an envelope for the epoch of another home", "no-envelope", thumbnail(func(m maker, o keytest.Object) sealed.Envelope {
			return m.wrap(o, sealed.ToEpoch, m.epochKey("B", 1), 1)
		})},
		{"envelope-for-a-person", "an envelope for a person with the ID of an epoch's key", "no-envelope", thumbnail(func(m maker, o keytest.Object) sealed.Envelope {
			return m.wrap(o, sealed.ToPerson, m.epochKey("A", 2), 2)
		})},
		{"old-epoch", "sealed in the second epoch, wrapped for the first, whose members may be gone", "old-epoch", epoch(1, 1)},
		{"old-key-new-number", "the first epoch's key said to be the second's", "unknown-epoch", epoch(1, 2)},
		{"new-key-old-number", "the second epoch's key said to be the first's", "unknown-epoch", epoch(2, 1)},
		{"epoch-to-come", "an epoch that the chain has not got", "unknown-epoch", epoch(2, 3)},
		{"envelope-of-another-object", "the envelope of another object of the same camera", "envelope", thumbnail(func(m maker, o keytest.Object) sealed.Envelope {
			return m.thumbnail().File.Envelopes[0]
		})},
		{"envelope-altered", "one bit of what HPKE encapsulated", "envelope", func(m maker) made {
			return of(m.thumbnail()).but(func(f []byte) []byte { return flip(f, envelopeAt+44+7) })
		}},
		{"envelope-tag-altered", "one bit of the sealed key's tag", "envelope", func(m maker) made {
			return of(m.thumbnail()).but(func(f []byte) []byte { return flip(f, bodyAt-1) })
		}},
		{"hkdf-sha512", "HPKE with HKDF-SHA512", "envelope", func(m maker) made {
			return of(m.inSuite(m.thumbnail(), kdfSHA512(), hpke.AES256GCM()))
		}},
		{"chacha20", "HPKE with ChaCha20Poly1305", "envelope", func(m maker) made {
			return of(m.inSuite(m.thumbnail(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()))
		}},
		{"wrapped-under-another-number", "wrapped under epoch 1's number and then said to be of epoch 2", "envelope", thumbnail(func(m maker, o keytest.Object) sealed.Envelope {
			e := m.wrap(o, sealed.ToEpoch, m.epochKey("A", 2), 1)
			e.Epoch = 2
			return e
		})},
		{"first-of-two-counts", "two envelopes for keys of the reader, the first of an old epoch", "old-epoch", func(m maker) made {
			o := m.thumbnail()
			return of(with(o, m.wrap(o, sealed.ToEpoch, m.epochKey("A", 1), 1), o.File.Envelopes[0]))
		}},
	}
}

func kdfSHA512() hpke.KDF {
	kdf, err := hpke.NewKDF(3)
	if err != nil {
		panic(err)
	}
	return kdf
}

// TestWriteVectors writes the vectors that are missing, with -write.
func TestWriteVectors(t *testing.T) {
	for _, d := range drawings() {
		vectors.Write(t, d.name, func(t *testing.T) vector {
			made := d.make(maker{t, keytest.ReadHomes(homesFile)})
			v := vector{Name: d.name, Says: d.says, Home: made.home, File: made.file, Expect: d.expect}
			if made.asked != (latchkey.Name{}) {
				v.Asked = made.asked.String()
			}
			if d.expect == "opened" {
				hash := sha256.Sum256(made.content)
				v.SHA256 = hex.EncodeToString(hash[:])
			}
			return v
		})
	}
}
