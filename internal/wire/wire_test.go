package wire_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// TestWrittenIsRead: whatever is written is read as the same, and there is nothing over.
func TestWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u8, u16, u32 := rapid.Byte().Draw(t, "u8"), rapid.Uint16().Draw(t, "u16"), rapid.Uint32().Draw(t, "u32")
		u64 := rapid.Uint64Max(latchkey.MaxInt).Draw(t, "u64")
		short, long := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "lp16"), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "lp32")
		head := latchkey.Head{Seq: u64, Hash: [32]byte{u8}}
		var w wire.Writer
		w.U8(u8)
		w.U16(u16)
		w.U32(u32)
		w.U64(u64)
		w.LP16(short)
		w.LP32(long)
		w.Head(head)
		w.Raw(short)
		r := wire.NewReader(w.Bytes())
		if r.U8() != u8 || r.U16() != u16 || r.U32() != u32 || r.U64() != u64 || !bytes.Equal(r.LP16(300), short) || !bytes.Equal(r.LP32(300), long) || r.Head() != head || !bytes.Equal(r.Rest(), short) {
			t.Fatal("something was read as something else")
		}
		into := make([]byte, len(short))
		if r.Into(into); !bytes.Equal(into, short) || r.Offset() != w.Len() {
			t.Fatal("the rest was read as something else")
		}
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestEveryCutIsTruncated: bytes that end too early are said to, wherever they end, and
// nothing is read from beyond.
func TestEveryCutIsTruncated(t *testing.T) {
	var w wire.Writer
	w.Label("label")
	w.U64(7)
	w.LP16([]byte("abc"))
	w.LP32([]byte("defg"))
	whole := w.Bytes()
	read := func(b []byte) (*wire.Reader, []byte) {
		r := wire.NewReader(b)
		r.Raw(6)
		r.U64()
		r.LP16(3)
		return r, r.LP32(4)
	}
	for n := range whole {
		r, last := read(whole[:n])
		if !errors.Is(r.Done(), wire.ErrTruncated) || last != nil || r.Rest() != nil {
			t.Errorf("%d of %d bytes: %v, %q", n, len(whole), r.Err(), last)
		}
	}
	if r, last := read(whole); r.Done() != nil || string(last) != "defg" {
		t.Errorf("all of it: %v, %q", r.Err(), last)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		read  func(r *wire.Reader)
		want  error
	}{
		"a number above 2^53-1":     {[]byte{0, 0x20, 0, 0, 0, 0, 0, 0}, func(r *wire.Reader) { r.U64() }, wire.ErrMalformed},
		"something left over":       {[]byte{1, 2}, func(r *wire.Reader) { r.U8() }, wire.ErrMalformed},
		"a length above its limit":  {[]byte{0, 3, 'a', 'b', 'c'}, func(r *wire.Reader) { r.LP16(2) }, wire.ErrOversize},
		"a length above everything": {[]byte{0xff, 0xff, 0xff, 0xff}, func(r *wire.Reader) { r.LP32(math.MaxInt32) }, wire.ErrOversize},
		"the first error counts":    {[]byte{0, 3}, func(r *wire.Reader) { r.LP16(2); r.Raw(99); r.Fail(wire.ErrMalformed) }, wire.ErrOversize},
		"a caller's own":            {[]byte{0}, func(r *wire.Reader) { r.U8(); r.Fail(wire.ErrMalformed) }, wire.ErrMalformed},
		"fewer than none":           {nil, func(r *wire.Reader) { r.Raw(-1) }, wire.ErrTruncated},
	} {
		r := wire.NewReader(c.bytes)
		c.read(r)
		if err := r.Done(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestReadsShareNoRoom: what was read cannot be appended to over what follows it.
func TestReadsShareNoRoom(t *testing.T) {
	b := []byte{1, 2, 3}
	_ = append(wire.NewReader(b).Raw(1), 9)
	if b[1] != 2 {
		t.Error("an append wrote over the bytes that follow")
	}
}

func TestTooLongIsABug(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("65,536 bytes behind a 16-bit length were written")
		}
	}()
	new(wire.Writer).LP16(make([]byte, math.MaxUint16+1))
}
