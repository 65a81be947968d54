package api_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/api"
)

func stream(letters ...string) []byte {
	var b bytes.Buffer
	for _, l := range letters {
		if err := api.WriteReply(&b, []byte(l)); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func readAll(b []byte) (letters []string, err error) {
	r := bytes.NewReader(b)
	for {
		l, err := api.ReadReply(r)
		if err != nil {
			return letters, err
		}
		letters = append(letters, string(l))
	}
}

func TestReplies(t *testing.T) {
	whole := stream("one", "two", "three")
	got, err := readAll(whole)
	if diff := cmp.Diff([]string{"one", "two", "three"}, got); diff != "" || !errors.Is(err, io.EOF) {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"cut in a letter", whole[:len(whole)-1], io.ErrUnexpectedEOF},
		{"cut behind a length", whole[:4], io.ErrUnexpectedEOF},
		{"cut in a length", whole[:2], io.ErrUnexpectedEOF},
		{"an empty letter", []byte{0, 0, 0, 0}, api.ErrMalformed},
		{"a letter that is too long", []byte{0, 0x10, 0, 1, 'x'}, api.ErrMalformed},
		{"a letter of 4 GiB", []byte{0xff, 0xff, 0xff, 0xff}, api.ErrMalformed},
	} {
		if got, err := readAll(tt.b); len(got) > 2 || !errors.Is(err, tt.want) {
			t.Errorf("%s: %q, %v; want %v", tt.name, got, err, tt.want)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	seeds(f, stream("a letter", "another", "the last of them"))
	f.Fuzz(func(t *testing.T, p []byte) {
		letters, err := readAll(p)
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, api.ErrMalformed) {
			t.Fatalf("an error without its word: %v", err)
		}
		if again := stream(letters...); !bytes.HasPrefix(p, again) || errors.Is(err, io.EOF) && len(again) != len(p) {
			t.Fatal("what was read is not what stands there")
		}
	})
}
