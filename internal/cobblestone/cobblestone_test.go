package cobblestone_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey/internal/cobblestone"
)

// byThePage encrypts as docs/seal.md, "Body", says, step by step and without any of
// the package's code, to hold the package against the page.
func byThePage(key, salt, context, content []byte) []byte {
	info := slices.Concat([]byte("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00"), salt, context)
	t1 := mac(key, info, []byte{1})
	t2 := mac(key, t1, info, []byte{2})
	derived := slices.Concat(t1, t2)[:76]
	block, _ := aes.NewCipher(derived[:32])
	gcm, _ := cipher.NewGCM(block)
	out := slices.Concat(salt, derived[44:76])
	for i := 0; ; i++ {
		nonce := slices.Clone(derived[32:44])
		for j, n := 11, i; n > 0; j, n = j-1, n>>8 {
			nonce[j] ^= byte(n)
		}
		n := min(len(content), 16384)
		out = gcm.Seal(out, nonce, content[:n], nil)
		if content = content[n:]; n < 16384 {
			return out
		}
	}
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha512.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

var sizes = []int{0, 1, 15, 16, 17, 16383, 16384, 16385, 32767, 32768, 32769, 100_000, 5_000_000}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func stream(t testing.TB, key, context, content []byte, pieces int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := cobblestone.NewWriter(&out, key, context)
	if err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(content, max(1, pieces)) {
		if n, err := w.Write(part); n != len(part) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(part), err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("more")); err == nil {
		t.Error("a closed message took more")
	}
	return out.Bytes()
}

func TestAgainstThePage(t *testing.T) {
	for _, size := range sizes {
		key, context, content := random(32), random(204), random(size)
		for name, message := range map[string][]byte{
			"in one piece":     must(cobblestone.Seal(key, context, content)),
			"in pieces":        stream(t, key, context, content, 1000),
			"in large pieces":  stream(t, key, context, content, 40_000),
			"in one write":     stream(t, key, context, content, size),
			"chunk by chunk":   stream(t, key, context, content, 16384),
			"a byte at a time": stream(t, key, context, content[:min(size, 40_000)], 1),
		} {
			want := byThePage(key, message[:24], context, content)
			if name == "a byte at a time" {
				want = byThePage(key, message[:24], context, content[:min(size, 40_000)])
			}
			if !bytes.Equal(message, want) {
				t.Errorf("%d bytes %s: not what the page says", size, name)
			}
			if uint64(len(message)) != cobblestone.SealedSize(uint64(len(message)-56-16*((len(message)-56)/16400+1))) {
				t.Errorf("%d bytes %s: the message has %d", size, name, len(message))
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// openers open a message in every way that there is.
var openers = map[string]func(key, context, message []byte) ([]byte, error){
	"whole": cobblestone.Open,
	"reader": func(key, context, message []byte) ([]byte, error) {
		r, err := cobblestone.NewReader(iotest.HalfReader(bytes.NewReader(message)), key, context)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(iotest.OneByteReader(r))
	},
	"reader writing": func(key, context, message []byte) ([]byte, error) {
		r, err := cobblestone.NewReader(bytes.NewReader(message), key, context)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		_, err = r.WriteTo(&out)
		return out.Bytes(), err
	},
	"reader at": func(key, context, message []byte) ([]byte, error) {
		r, err := cobblestone.NewReaderAt(bytes.NewReader(message), uint64(len(message)), key, context)
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	},
}

func TestEveryWayOpens(t *testing.T) {
	for _, size := range sizes {
		if size > 100_000 {
			continue // a byte at a time takes long
		}
		key, context, content := random(32), random(10), random(size)
		message := must(cobblestone.Seal(key, context, content))
		for name, open := range openers {
			if got, err := open(key, context, message); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %s: %d bytes, %v", size, name, len(got), err)
			}
		}
	}
}

// TestRefusals: whatever is done to a message, it is refused in every way of opening,
// and for the same reason.
func TestRefusals(t *testing.T) {
	key, context := random(32), []byte("context")
	content := random(3*16384 + 100)
	message := must(cobblestone.Seal(key, context, content))
	full := must(cobblestone.Seal(key, context, content[:2*16384]))
	chunk := func(i int) []byte { return message[56+16400*i : min(len(message), 56+16400*(i+1))] }
	cut := func(n int) []byte { return message[:n] }
	flip := func(i int) []byte { b := slices.Clone(message); b[i] ^= 1; return b }
	for name, c := range map[string]struct {
		message []byte
		want    error
	}{
		"nothing":                       {nil, cobblestone.ErrTruncated},
		"a salt":                        {cut(24), cobblestone.ErrTruncated},
		"no chunk":                      {cut(56), cobblestone.ErrTruncated},
		"half a tag":                    {cut(56 + 15), cobblestone.ErrTruncated},
		"cut between chunks":            {cut(56 + 16400), cobblestone.ErrTruncated},
		"the empty last chunk left out": {full[:len(full)-16], cobblestone.ErrTruncated},
		"cut in a chunk":                {cut(56 + 16400 + 500), cobblestone.ErrChunk},
		"a byte less":                   {cut(len(message) - 1), cobblestone.ErrChunk},
		"a byte more":                   {append(slices.Clone(message), 0), cobblestone.ErrChunk},
		"another salt":                  {flip(3), cobblestone.ErrCommitment},
		"another commitment":            {flip(40), cobblestone.ErrCommitment},
		"the first chunk altered":       {flip(56), cobblestone.ErrChunk},
		"a tag altered":                 {flip(56 + 16399), cobblestone.ErrChunk},
		"the last chunk altered":        {flip(len(message) - 1), cobblestone.ErrChunk},
		"two chunks exchanged":          {slices.Concat(message[:56], chunk(1), chunk(0), chunk(2), chunk(3)), cobblestone.ErrChunk},
		"a chunk twice":                 {slices.Concat(message[:56], chunk(0), chunk(0), chunk(1), chunk(2), chunk(3)), cobblestone.ErrChunk},
		"a chunk dropped":               {slices.Concat(message[:56], chunk(0), chunk(2), chunk(3)), cobblestone.ErrChunk},
		"another message's chunk":       {slices.Concat(message[:56], full[56:56+16400], message[56+16400:]), cobblestone.ErrChunk},
	} {
		for way, open := range openers {
			if _, err := open(key, context, c.message); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", name, way, err, c.want)
			}
		}
	}
	for way, open := range openers {
		if _, err := open(random(32), context, message); !errors.Is(err, cobblestone.ErrCommitment) {
			t.Errorf("another key, %s: %v", way, err)
		}
		if _, err := open(key, []byte("contexts"), message); !errors.Is(err, cobblestone.ErrCommitment) {
			t.Errorf("another context, %s: %v", way, err)
		}
		if _, err := open(key[:31], context, message); err == nil || errors.Is(err, cobblestone.ErrCommitment) {
			t.Errorf("a short key, %s: %v", way, err)
		}
	}
	if _, err := cobblestone.Seal(key[:31], context, content); err == nil {
		t.Error("sealed under a short key")
	}
}

func TestSizes(t *testing.T) {
	valid := map[uint64]uint64{}
	for n := range uint64(3 * 16384) {
		valid[cobblestone.SealedSize(n)] = n
	}
	for n := range uint64(3*16400 + 56) {
		size, err := cobblestone.ContentSize(n)
		want, ok := valid[n]
		if (err == nil) != ok || size != want {
			t.Fatalf("a message of %d bytes: %d, %v; want %d, %v", n, size, err, want, ok)
		}
	}
}

// TestAnyPart: a part of the content is the same wherever and however it is read.
func TestAnyPart(t *testing.T) {
	key, context, content := random(32), []byte("context"), random(5*16384+77)
	message := must(cobblestone.Seal(key, context, content))
	r := must(cobblestone.NewReaderAt(bytes.NewReader(message), uint64(len(message)), key, context))
	rapid.Check(t, func(t *rapid.T) {
		off := rapid.IntRange(0, len(content)+10).Draw(t, "offset")
		p := make([]byte, rapid.IntRange(0, 40_000).Draw(t, "length"))
		n, err := r.ReadAt(p, int64(off))
		want := content[min(off, len(content)):min(off+len(p), len(content))]
		if !bytes.Equal(p[:n], want) || (n < len(p) || off >= len(content)) != (err == io.EOF) || err != nil && err != io.EOF {
			t.Fatalf("read %d at %d: %d, %v", len(p), off, n, err)
		}
	})
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("read before the beginning")
	}
}

// TestSeveralAtATime: a reader at random serves several goroutines.
func TestSeveralAtATime(t *testing.T) {
	key, content := random(32), random(8*16384)
	message := must(cobblestone.Seal(key, nil, content))
	r := must(cobblestone.NewReaderAt(bytes.NewReader(message), uint64(len(message)), key, nil))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				p := make([]byte, 20_000)
				if n, err := r.ReadAt(p, int64(i*10_000)); err != nil || !bytes.Equal(p[:n], content[i*10_000:][:len(p)]) {
					t.Errorf("read at %d: %d, %v", i*10_000, n, err)
				}
			}
		})
	}
	all.Wait()
}

// TestSaltsDiffer: two messages under the same key never share one.
func TestSaltsDiffer(t *testing.T) {
	key := random(32)
	a, b := must(cobblestone.Seal(key, nil, nil)), must(cobblestone.Seal(key, nil, nil))
	if bytes.Equal(a[:24], b[:24]) {
		t.Error("two messages under one salt")
	}
}

// TestErrorsBelow: a disk that fails is not taken for a message that was altered.
func TestErrorsBelow(t *testing.T) {
	key, broken := random(32), errors.New("disk is gone")
	if _, err := cobblestone.NewReader(iotest.ErrReader(broken), key, nil); !errors.Is(err, broken) {
		t.Errorf("read the start: %v", err)
	}
	message := must(cobblestone.Seal(key, nil, random(100_000)))
	r := must(cobblestone.NewReader(io.MultiReader(bytes.NewReader(message[:20_000]), iotest.ErrReader(broken)), key, nil))
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, broken) {
		t.Errorf("read a chunk: %v", err)
	}
	for _, good := range []int64{0, 60, 40_000} {
		below := &sick{bytes.NewReader(message), good, broken}
		at, err := cobblestone.NewReaderAt(below, uint64(len(message)), key, nil)
		if err == nil {
			_, err = at.ReadAt(make([]byte, 10), 50_000)
		}
		if !errors.Is(err, broken) {
			t.Errorf("read at random with %d good bytes: %v", good, err)
		}
	}
	if _, err := cobblestone.NewWriter(&full{}, key, nil); !errors.Is(err, errFull) {
		t.Errorf("write the start: %v", err)
	}
	w := must(cobblestone.NewWriter(&full{room: 60}, key, nil))
	if _, err := w.Write(random(20_000)); !errors.Is(err, errFull) {
		t.Errorf("write a chunk: %v", err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("close after that: %v", err)
	}
	w = must(cobblestone.NewWriter(&full{room: 60}, key, nil))
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("write the last chunk: %v", err)
	}
}

var errFull = errors.New("no room")

// sick is a disk of which only the beginning can be read, and the end.
type sick struct {
	*bytes.Reader
	good int64
	err  error
}

func (s *sick) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > s.good && (s.good < 100 || off < 90_000) {
		return 0, s.err
	}
	return s.Reader.ReadAt(p, off)
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// FuzzOpen: no bytes open that were not sealed, every way of opening says the same,
// and none is taken for an error of the disk.
func FuzzOpen(f *testing.F) {
	key, context := bytes.Repeat([]byte{7}, 32), []byte("context")
	for _, size := range sizes[:8] {
		f.Add(must(cobblestone.Seal(key, context, make([]byte, size))))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		want, wantErr := cobblestone.Open(key, context, message)
		for way, open := range openers {
			got, err := open(key, context, message)
			if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
				t.Fatalf("%s says %v, whole says %v", way, err, wantErr)
			}
			if err != nil && !errors.Is(err, cobblestone.ErrTruncated) && !errors.Is(err, cobblestone.ErrCommitment) && !errors.Is(err, cobblestone.ErrChunk) {
				t.Fatalf("%s: %v", way, err)
			}
		}
	})
}
