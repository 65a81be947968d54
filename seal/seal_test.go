package seal_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

func binding() (*keytest.Owner, *keytest.Agent, sealed.Binding) {
	o := keytest.NewOwner()
	o.Found()
	a := o.PlaceAgent()
	return o, a, a.Bind(o.Title(), o.PlaceCamera(a), latchkey.Description)
}

// TestNothingRepeats: two bodies of the same binding and content share neither key nor
// salt, so that nothing is ever encrypted twice under the same nonce.
func TestNothingRepeats(t *testing.T) {
	_, _, b := binding()
	var bodies [2]bytes.Buffer
	var results [2]seal.Result
	for i := range bodies {
		w, err := seal.NewWriter(&bodies[i], b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "the same"); err != nil {
			t.Fatal(err)
		}
		if results[i], err = w.Close(); err != nil {
			t.Fatal(err)
		}
		if r := results[i]; r.BodyLength != uint64(bodies[i].Len()) || r.BodyHash != sha256.Sum256(bodies[i].Bytes()) {
			t.Error("the result is not of the body that was written")
		}
	}
	if results[0].Key == results[1].Key || bytes.Equal(bodies[0].Bytes()[:24], bodies[1].Bytes()[:24]) {
		t.Error("a key or a salt came twice")
	}
}

func TestLimits(t *testing.T) {
	_, _, b := binding()
	const most = 64<<10 - 56 - 16*4 // of a description: three full chunks and a last one
	for size, want := range map[int]error{most: nil, most + 1: seal.ErrTooLong, 64 << 10: seal.ErrTooLong, 70 << 10: seal.ErrTooLong} {
		w, err := seal.NewWriter(io.Discard, b)
		if err != nil {
			t.Fatal(err)
		}
		n, err := w.Write(make([]byte, size))
		if size > 64<<10 && n > 0 {
			t.Errorf("of %d bytes for a description %d are taken", size, n)
		}
		if err == nil {
			_, err = w.Close()
		}
		if !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%d bytes in a description: %v, want %v", size, err, want)
		}
	}
}

// TestSealsNothingThatNobodyOpens: what a reader would refuse is not made.
func TestSealsNothingThatNobodyOpens(t *testing.T) {
	_, a, good := binding()
	for name, change := range map[string]func(b *sealed.Binding){
		"no kind":          func(b *sealed.Binding) { b.Kind = 0 },
		"no sequence":      func(b *sealed.Binding) { b.Sequence = 0 },
		"time after 2255":  func(b *sealed.Binding) { b.Time = latchkey.MaxInt + 1 },
		"quality of 3":     func(b *sealed.Binding) { b.Quality = 3 },
		"monotonic of 2^6": func(b *sealed.Binding) { b.Monotonic = 1 << 60 },
	} {
		b := good
		change(&b)
		if _, err := seal.NewWriter(io.Discard, b); sealed.ReasonOf(err) != sealed.Malformed {
			t.Errorf("%s: %v, want %s", name, err, sealed.Malformed)
		}
	}
	if _, err := seal.Sign(good, 72, [32]byte{}, key.Signing()); err == nil {
		t.Error("signed with a key that the binding does not name")
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Sign(good, 72, [32]byte{}, ec); err == nil {
		t.Error("signed with an ECDSA key")
	}
	if _, err := seal.Sign(good, 72, [32]byte{}, lost{a.Keys.Signing}); err == nil {
		t.Error("signed with a key that is lost")
	}
	alone := keytest.NewOwner()
	founded, err := deed.Start(alone.Found()[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.WrapForEpoch(seal.ObjectKey{}, good, founded); err == nil {
		t.Error("wrapped for a home that has no epoch")
	}
	if _, err := seal.Wrap(seal.ObjectKey{}, good, sealed.ToEpoch, a.Keys.Body().Signing[0], 1); err == nil {
		t.Error("wrapped for a key that signs")
	}
}

// TestDiskIsFull: an error of the disk comes back from every step, and no result after it.
func TestDiskIsFull(t *testing.T) {
	_, _, b := binding()
	for room := range 200 {
		w, err := seal.NewWriter(&small{room}, b)
		if err == nil {
			if _, err = w.Write(make([]byte, 100)); err == nil {
				_, err = w.Close()
			}
		}
		if whole := room >= 56+100+16; whole != (err == nil) || err != nil && !errors.Is(err, errFull) {
			t.Fatalf("with room for %d bytes: %v", room, err)
		}
	}
}

var errFull = errors.New("no room on the disk")

type small struct{ room int }

func (s *small) Write(p []byte) (int, error) {
	if len(p) > s.room {
		return 0, errFull
	}
	s.room -= len(p)
	return len(p), nil
}

// TestKeysDoNotPrint: an object key that ends up in a log is no key.
func TestKeysDoNotPrint(t *testing.T) {
	k := seal.ObjectKey{0xde, 0xad}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		if s := fmt.Sprintf(verb, seal.Result{Key: k}); strings.Contains(strings.ToLower(s), "dead") || strings.Contains(s, "222") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

// lost is a key that does not sign.
type lost struct{ ed25519.PrivateKey }

func (lost) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is lost")
}
