package crossed

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRemarked reads comments of pictures that are none.
func FuzzRemarked(f *testing.F) {
	f.Add(remark([]byte("\xff\xd8\xff\xd9"), homeComment+"x"))
	f.Add([]byte("\xff\xd8\xff\xfe\x00\x02\xff\xfe\x00\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, ok := remarked(b, homeComment); ok && !bytes.Contains(b, []byte(homeComment+text)) {
			t.Errorf("%q is in no comment", text)
		}
	})
}

// FuzzReadCommand reads what a client could not send.
func FuzzReadCommand(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"))
	f.Add([]byte("*1\r\n$-1\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		words, err := readCommand(bufio.NewReader(bytes.NewReader(b)))
		if err == nil && len(words) == 0 {
			t.Error("a command without words")
		}
	})
}
