package open_test

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
	"github.com/latchkey-cam/latchkey/open"
)

func benchObject(kind latchkey.Kind, size int) (*keytest.Owner, keytest.Object) {
	o := keytest.NewOwner()
	o.Found()
	a := o.PlaceAgent()
	content := make([]byte, size)
	rand.Read(content)
	return o, a.Object(o.Title(), o.PlaceCamera(a), kind, content)
}

func openOne(b *testing.B, out *bytes.Buffer, o *keytest.Owner, x keytest.Object) {
	out.Reset()
	if err := open.Open(x.File, bytes.NewReader(x.Body), x.Name(), o.Title(), o.Ring(), out); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOpen5MB verifies and opens a clip of 5 MB and, turn by turn in the same run,
// hashes and decrypts as many bytes plainly with AES-256-GCM. "of-plain" is the ratio
// of the two throughputs; the aim is at least 0.8.
func BenchmarkOpen5MB(b *testing.B) {
	const size = 5_000_000
	o, x := benchObject(latchkey.Clip, size)
	out := bytes.NewBuffer(make([]byte, 0, 6_000_000))
	k, nonce := make([]byte, 32), make([]byte, 12)
	block, err := aes.NewCipher(k)
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	plain, content := gcm.Seal(nil, nonce, make([]byte, size), nil), make([]byte, 0, size)
	rival := func() {
		hash := sha256.Sum256(plain)
		if _, err := gcm.Open(content, nonce, plain, nil); err != nil || hash == [32]byte{} {
			b.Fatal(err)
		}
	}
	openOne(b, out, o, x) // so that neither pays for touching its memory first
	rival()
	var ours, theirs []time.Duration
	for b.Loop() {
		start := time.Now()
		openOne(b, out, o, x)
		middle := time.Now()
		rival()
		ours, theirs = append(ours, middle.Sub(start)), append(theirs, time.Since(middle))
	}
	megabytes := float64(size) / 1e6
	b.ReportMetric(megabytes/median(ours), "MB/s")
	b.ReportMetric(megabytes/median(theirs), "plain-MB/s")
	b.ReportMetric(median(theirs)/median(ours), "of-plain")
}

// BenchmarkOpenThumbnail verifies and opens a thumbnail of 30 KB: signature, hash,
// envelope, body.
func BenchmarkOpenThumbnail(b *testing.B) {
	o, x := benchObject(latchkey.Thumbnail, 30_000)
	out := bytes.NewBuffer(make([]byte, 0, 40_000))
	for b.Loop() {
		openOne(b, out, o, x)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "thumbnails/s")
}

// median is what one turn takes, in seconds, when nobody else has the machine's cores.
func median(turns []time.Duration) float64 {
	slices.Sort(turns)
	return turns[len(turns)/2].Seconds()
}
