package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/server"
)

// TestRanges: a part of an object file is that part, of small objects and large ones, from
// the cache and past it; what is no range is answered with the whole.
func TestRanges(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	for _, size := range []int{10, 70 << 10, 300 << 10} {
		for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip} {
			o := m.stored(kind, strings.Repeat("x", size))
			file := readStored(t, h, o.Name())
			n := len(file)
			for _, c := range []struct {
				says     string
				status   int
				from, to int // exclusive
			}{
				{"", 200, 0, n},
				{"bytes=0-0", 206, 0, 1},
				{"bytes=0-399", 206, 0, min(400, n)},
				{"bytes=17-340", 206, 17, 341},
				{"bytes=340-", 206, 340, n},
				{fmt.Sprintf("bytes=%d-%d", n-5, n-1), 206, n - 5, n},
				{fmt.Sprintf("bytes=%d-%d", n/2, n+100), 206, n / 2, n},
				{"bytes=-7", 206, n - 7, n},
				{"bytes=0-", 200, 0, n},
				{fmt.Sprintf("bytes=-%d", 2*n), 200, 0, n},
				{fmt.Sprintf("bytes=%d-", n), 416, 0, 0},
				{"bytes=-0", 416, 0, 0},
				{"bytes=5-4", 200, 0, n},
				{"bytes=0-1,5-6", 200, 0, n},
				{"bytes=+1-2", 200, 0, n},
				{"bytes=1", 200, 0, n},
				{"bytes=-", 200, 0, n},
				{"bytes=18446744073709551615-", 200, 0, n},
				{"pictures=0-1", 200, 0, n},
			} {
				answer, text := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: with(m.asPage(), "Range", c.says), mac: m.mac()})
				if answer.StatusCode != c.status || c.status != 416 && text != string(file[c.from:c.to]) {
					t.Errorf("%s of %d bytes, %q: %d with %d bytes, want %d with %d", kind, n, c.says, answer.StatusCode, len(text), c.status, c.to-c.from)
				}
				if want := fmt.Sprintf("bytes %d-%d/%d", c.from, c.to-1, n); c.status == 206 && answer.Header.Get("Content-Range") != want {
					t.Errorf("%q: says %q, want %q", c.says, answer.Header.Get("Content-Range"), want)
				}
			}
			conditional := with(with(m.asPage(), "Range", "bytes=0-3"), "If-Range", `"x"`)
			if answer, _ := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: conditional, mac: m.mac()}); answer.StatusCode != 200 {
				t.Errorf("with a condition: %d", answer.StatusCode)
			}
		}
	}
}

func readStored(t *testing.T, h *house, n latchkey.Name) []byte {
	t.Helper()
	return must(os.ReadFile(filepath.Join(h.blobs, "objects", filepath.FromSlash(n.String()))))
}

// TestRangesAreGuarded: a part is handed out to whom the whole would be, and no byte of
// what lies under a wrong name.
func TestRangesAreGuarded(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	mine, other := m.stored(latchkey.Clip, "mine"), m.stored(latchkey.Clip, "SECRET of another clip")
	path := objectPath(mine.Name())
	for who, page := range m.pages {
		key := page.MACKey()
		header := http.Header{"Range": {"bytes=0-9"}, "Cookie": {page.Cookie()}}
		answer, text := h.do(t, raw{method: "GET", path: path, header: header, mac: &key})
		if may := who == owner || who == resident; may != (answer.StatusCode == 206) || !may && strings.Contains(text, "latchkey o") {
			t.Errorf("%s: %d %.100q", who, answer.StatusCode, text)
		}
	}
	h.crossBlobs(t, mine.Name(), other.Name())
	answer, text := h.do(t, raw{method: "GET", path: path, header: with(m.asPage(), "Range", "bytes=335-"), mac: m.mac()})
	if answer.StatusCode != http.StatusBadGateway || strings.Contains(text, "SECRET") || bytes.Contains([]byte(text), other.Body[60:]) {
		t.Errorf("under a wrong name: %d %.200q", answer.StatusCode, text)
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=blob", "confirmed=true"); n != 1 {
		t.Errorf("counted %v times", n)
	}
}

// TestRangesAreGuardedControl builds that test with the door's comparison removed.
func TestRangesAreGuardedControl(t *testing.T) {
	control(t, "TestRangesAreGuarded", []string{"under a wrong name: 206"}, sabotage.Cut{
		File: "server/door.go", Old: "fault := compare(q.Name, x.row, object.Header)", New: "fault := archive.Delivered",
	})
}

// FuzzRange: whatever a request says, what is sent lies in the file.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-5", "bytes=7-", "bytes=9-3", "bytes=0-1,2-3", "items=1-2", "bytes=18446744073709551615-1"} {
		f.Add(s, uint16(400))
	}
	f.Fuzz(func(t *testing.T, asked string, of uint16) {
		from, length, ok := server.Range(asked, uint64(of)+1)
		if ok && (length == 0 || from+length > uint64(of)+1 || from+length < from) {
			t.Errorf("%q of %d: %d from %d", asked, of, length, from)
		}
	})
}
