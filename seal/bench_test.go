package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// plain is what sealing is held against: AES-256-GCM of the content in one piece and
// SHA-256 of what came out, with nothing allocated.
type plain struct {
	gcm   cipher.AEAD
	nonce []byte
	out   []byte
}

func newPlain(size int) *plain {
	k := make([]byte, 32)
	rand.Read(k)
	block, err := aes.NewCipher(k)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	return &plain{gcm, make([]byte, 12), make([]byte, 0, size+16)}
}

func (p *plain) seal(content []byte) [32]byte {
	return sha256.Sum256(p.gcm.Seal(p.out, p.nonce, content, nil))
}

// sealOne does all that an agent does for an object: body, signature, envelope.
func sealOne(b *testing.B, out *bytes.Buffer, o *keytest.Owner, a *keytest.Agent, binding sealed.Binding, content []byte) {
	out.Reset()
	w, err := seal.NewWriter(out, binding)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		b.Fatal(err)
	}
	r, err := w.Close()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := seal.Sign(binding, r.BodyLength, r.BodyHash, a.Keys.Signing); err != nil {
		b.Fatal(err)
	}
	if _, err := seal.WrapForEpoch(r.Key, binding, o.Title()); err != nil {
		b.Fatal(err)
	}
}

func benchHome() (*keytest.Owner, *keytest.Agent, latchkey.CameraID) {
	o := keytest.NewOwner()
	o.Found()
	a := o.PlaceAgent()
	return o, a, o.PlaceCamera(a)
}

// BenchmarkSeal5MB seals a clip of 5 MB and, turn by turn in the same run, encrypts and
// hashes the same bytes plainly. "of-plain" is the ratio of the two throughputs; the
// aim is at least 0.8.
func BenchmarkSeal5MB(b *testing.B) {
	o, a, camera := benchHome()
	binding := a.Bind(o.Title(), camera, latchkey.Clip)
	content := make([]byte, 5_000_000)
	rand.Read(content)
	out, rival := bytes.NewBuffer(make([]byte, 0, 6_000_000)), newPlain(len(content))
	sealOne(b, out, o, a, binding, content) // so that neither pays for touching its memory first
	rival.seal(content)
	var ours, theirs []time.Duration
	for b.Loop() {
		start := time.Now()
		sealOne(b, out, o, a, binding, content)
		middle := time.Now()
		rival.seal(content)
		ours, theirs = append(ours, middle.Sub(start)), append(theirs, time.Since(middle))
	}
	megabytes := float64(len(content)) / 1e6
	b.ReportMetric(megabytes/median(ours), "MB/s")
	b.ReportMetric(megabytes/median(theirs), "plain-MB/s")
	b.ReportMetric(median(theirs)/median(ours), "of-plain")
}

// BenchmarkSealThumbnail seals thumbnails of 30 KB, each with signature and envelope.
func BenchmarkSealThumbnail(b *testing.B) {
	o, a, camera := benchHome()
	content := make([]byte, 30_000)
	rand.Read(content)
	out := bytes.NewBuffer(make([]byte, 0, 40_000))
	for b.Loop() {
		sealOne(b, out, o, a, a.Bind(o.Title(), camera, latchkey.Thumbnail), content)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "thumbnails/s")
}

// median is what one turn takes, in seconds, when nobody else has the machine's cores.
func median(turns []time.Duration) float64 {
	slices.Sort(turns)
	return turns[len(turns)/2].Seconds()
}
