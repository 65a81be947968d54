package api_test

import (
	"encoding/base64"
	"errors"
	"testing"

	"github.com/latchkey-cam/latchkey/api"
)

// refused fails on an error that is none of the two with which a parser refuses.
func refused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, api.ErrMalformed) && !errors.Is(err, api.ErrVersion) {
		t.Fatalf("an error without its word: %v", err)
	}
}

// seeds adds b, its beginnings and b with single bytes altered, and counts them.
func seeds(f *testing.F, b []byte) {
	f.Helper()
	n := 0
	add := func(p []byte) { f.Add(p); n++ }
	add(b)
	for i := 0; i < len(b); i += 1 + len(b)/16 {
		add(b[:i])
		altered := append([]byte{}, b...)
		altered[i] ^= 0xff
		add(altered)
	}
	if n < 16 {
		f.Fatalf("%d seeds, want at least 16", n)
	}
}

func FuzzParseAgentRequest(f *testing.F) {
	raw, err := base64.StdEncoding.DecodeString(readVectors(f).Request.Text)
	if err != nil {
		f.Fatal(err)
	}
	seeds(f, raw)
	f.Fuzz(func(t *testing.T, p []byte) {
		text := base64.StdEncoding.EncodeToString(p)
		r, err := api.ParseAgentRequest(text)
		if err != nil {
			refused(t, err)
			return
		}
		if r.Verify(keys, "PUT", path, now) == nil && text != readVectors(t).Request.Text {
			t.Fatal("a second header verifies")
		}
	})
}

func FuzzParseTicket(f *testing.F) {
	seeds(f, append(make([]byte, 48), append([]byte{0, 5, 0, 0, 0, 0, 0, 0}, make([]byte, 64)...)...))
	f.Fuzz(func(t *testing.T, p []byte) {
		k, err := api.ParseTicket(base64.StdEncoding.EncodeToString(p))
		if err != nil {
			refused(t, err)
			return
		}
		if k.Verify(keys, now) == nil {
			t.Fatal("a ticket that nobody signed")
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	h := hello()
	h.Signature = readVectors(f).Hello.Signature
	seeds(f, must(api.EncodeFrame(h)))
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := api.DecodeFrame(p)
		if err != nil {
			refused(t, err)
			return
		}
		again, err := api.DecodeFrame(must(api.EncodeFrame(m)))
		if err != nil || string(must(api.EncodeFrame(again))) != string(must(api.EncodeFrame(m))) {
			t.Fatalf("what was read is not read again: %v", err)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	seeds(f, readVectors(f).Join.Answer)
	said := readVectors(f).Join.Announcement
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, err := api.ParseAnswer(p); err != nil {
			refused(t, err)
			return
		}
		if _, err := secret.CheckAnswer(said, p); err == nil && string(p) != string(readVectors(t).Join.Answer) {
			t.Fatal("a second answer verifies")
		}
	})
}

func FuzzParseAnnouncement(f *testing.F) {
	seeds(f, readVectors(f).Join.Announcement)
	f.Fuzz(func(t *testing.T, p []byte) {
		if _, err := api.ParseAnnouncement(p); err != nil {
			refused(t, err)
		}
	})
}

func FuzzParseAsk(f *testing.F) {
	seeds(f, readVectors(f).Ask.Bytes)
	f.Fuzz(func(t *testing.T, p []byte) {
		a, err := api.ParseAsk(p)
		if err != nil {
			refused(t, err)
			return
		}
		if string(a.Bytes()) != string(p) {
			t.Fatal("a second spelling of an ask")
		}
	})
}

func FuzzParseLink(f *testing.F) {
	seeds(f, []byte(readVectors(f).Join.Link))
	f.Fuzz(func(t *testing.T, p []byte) {
		l, err := api.ParseLink(string(p))
		if err != nil {
			return
		}
		if again, err := api.ParseLink(l.Text()); err != nil || again.Text() != l.Text() {
			t.Fatalf("%s is read as %s, %v", l.Text(), again.Text(), err)
		}
	})
}
