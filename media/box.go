package media

import "encoding/binary"

// box returns an MP4 box: its length, its name of four letters, its content.
func box(name string, content ...[]byte) []byte {
	size := 8
	for _, c := range content {
		size += len(c)
	}
	b := make([]byte, 0, size)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = append(b, name...)
	for _, c := range content {
		b = append(b, c...)
	}
	return b
}

// full returns the version and flags that begin a full box.
func full(version byte, flags uint32) []byte { return u32(uint32(version)<<24 | flags) }

func u8(v ...byte) []byte { return v }

func u16(v ...uint16) []byte {
	var b []byte
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func u32(v ...uint32) []byte { return append32(nil, v...) }

func append32(b []byte, v ...uint32) []byte {
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func zeros(n int) []byte { return make([]byte, n) }

// matrix is the unit matrix of a picture that is neither turned nor stretched.
var matrix = u32(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30)
