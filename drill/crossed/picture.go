package crossed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/latchkey-cam/latchkey"
)

// Comments of a picture: whose home it shows, which only the drill's viewer reads, and
// the stamp that a camera of the arm with stamps puts into it.
const (
	homeComment  = "latchkey-drill-home:"
	stampComment = "stamp:"
)

// comment is the marker of a JPEG's comment, start that of its beginning.
var comment, start = []byte{0xff, 0xfe}, []byte{0xff, 0xd8}

// picture is a thumbnail of a home: a JPEG in a colour of that home, that says inside
// whose it is.
func picture(home latchkey.HomeID) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 36))
	for y := range 36 {
		for x := range 64 {
			img.Set(x, y, color.RGBA{home[0] ^ uint8(4*x), home[1] ^ uint8(7*y), home[2], 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		return nil, fmt.Errorf("paint a picture: %w", err)
	}
	return remark(b.Bytes(), homeComment+home.String()), nil
}

// remark puts a comment into a JPEG.
func remark(picture []byte, text string) []byte {
	b := append(bytes.Clone(start), comment...)
	b = binary.BigEndian.AppendUint16(b, uint16(2+len(text)))
	b = append(b, text...)
	return append(b, picture[len(start):]...)
}

// remarked is the first comment of a JPEG that begins with a prefix, without it.
func remarked(picture []byte, prefix string) (string, bool) {
	b, ok := bytes.CutPrefix(picture, start)
	for ok && bytes.HasPrefix(b, comment) && len(b) >= 4 {
		size := 2 + int(binary.BigEndian.Uint16(b[2:]))
		if size < 4 || size > len(b) {
			return "", false
		}
		if text, found := bytes.CutPrefix(b[4:size], []byte(prefix)); found {
			return string(text), true
		}
		b = b[size:]
	}
	return "", false
}

// whose says which home a picture shows.
func whose(picture []byte) (latchkey.HomeID, bool) {
	text, ok := remarked(picture, homeComment)
	if !ok {
		return latchkey.HomeID{}, false
	}
	home, err := latchkey.ParseHomeID(text)
	return home, err == nil
}
