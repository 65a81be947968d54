package media

import (
	"errors"
	"fmt"
	"io"
)

// errADTS is the error for a stream that is not one of AAC frames with ADTS headers.
var errADTS = errors.New("no frame of AAC")

// adtsRates are the numbers of samples a second that the header has a number for.
var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// ReadADTS reads one frame of AAC with its ADTS header (ISO/IEC 13818-7, 6.2) and returns
// it without, and how it is encoded. A frame of several blocks is refused; encoders make
// none.
func ReadADTS(r io.Reader) (frame []byte, coding Coding, err error) {
	var h [9]byte
	if _, err := io.ReadFull(r, h[:7]); err != nil {
		return nil, coding, fmt.Errorf("read sound: %w", err)
	}
	header := 7
	if h[1]&1 == 0 {
		header = 9 // with a checksum
		if _, err := io.ReadFull(r, h[7:9]); err != nil {
			return nil, coding, fmt.Errorf("read sound: %w", err)
		}
	}
	size := int(h[3]&3)<<11 | int(h[4])<<3 | int(h[5]>>5)
	kind, rate, channels := h[2]>>6+1, int(h[2]>>2&15), int(h[2]&1)<<2|int(h[3]>>6)
	if h[0] != 0xff || h[1]&0xf6 != 0xf0 || h[6]&3 != 0 || size <= header || rate >= len(adtsRates) || channels == 0 || channels == 7 {
		return nil, coding, fmt.Errorf("read sound: %w", errADTS)
	}
	frame = make([]byte, size-header)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, coding, fmt.Errorf("read sound: %w", err)
	}
	return frame, Coding{Name: "aac", Rate: adtsRates[rate], Channels: channels,
		Config: []byte{kind<<3 | byte(rate)>>1, byte(rate)<<7 | byte(channels)<<3}}, nil
}
