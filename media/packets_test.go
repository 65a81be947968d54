package media_test

import (
	"bytes"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"

	"github.com/latchkey-cam/latchkey/media"
)

// unpack runs packets and returns the pictures, and how many packets were wrong.
func unpack(t testing.TB, p *media.Packets, packets []*rtp.Packet) (all [][][]byte, stamps []uint32, wrong int) {
	t.Helper()
	for _, packet := range packets {
		ok, err := p.Take(packet.Payload, packet.SequenceNumber, packet.Timestamp, packet.Marker, func(nals [][]byte, stamp uint32) error {
			all, stamps = append(all, nals), append(stamps, stamp)
			return nil
		})
		clear(packet.Payload) // it may be thrown away
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			wrong++
		}
	}
	return all, stamps, wrong
}

// What another project has packed comes out again, with marks of the end and without.
func TestPackets(t *testing.T) {
	for name, pictures := range map[string][]picture{
		"H.264": encode(t, 2, "640x480"), "H.265": encode265(t, 2, "640x480", asCamerasDo),
	} {
		for _, marked := range []bool{true, false} {
			pack := func(nals [][]byte) ([]*rtp.Packet, error) { return nil, nil }
			if name == "H.264" {
				e, err := (&format.H264{PayloadTyp: 96, PacketizationMode: 1}).CreateEncoder()
				if err != nil {
					t.Fatal(err)
				}
				pack = e.Encode
			} else {
				e, err := (&format.H265{PayloadTyp: 96}).CreateEncoder()
				if err != nil {
					t.Fatal(err)
				}
				pack = e.Encode
			}
			var packets []*rtp.Packet
			var want [][][]byte
			for _, p := range append(pictures, pictures[0]) {
				some, err := pack(p.nals)
				if err != nil {
					t.Fatal(err)
				}
				for _, packet := range some {
					packet.Payload = bytes.Clone(packet.Payload)
					packet.Timestamp, packet.Marker = p.stamp, packet.Marker && marked
				}
				packets, want = append(packets, some...), append(want, p.nals)
			}
			if !marked {
				want = want[:len(want)-1] // nothing has told that it is over
			}
			got, stamps, wrong := unpack(t, &media.Packets{H265: name == "H.265"}, packets)
			if diff := cmp.Diff(want, got); diff != "" || wrong != 0 || stamps[1] != pictures[1].stamp {
				t.Errorf("%s, marked %t: %d pictures of %d, %d wrong, stamps %d", name, marked, len(got), len(want), wrong, stamps[:2])
			}
		}
	}
}

func TestOddPackets(t *testing.T) {
	packet := func(number uint16, last bool, payload ...byte) *rtp.Packet {
		return &rtp.Packet{Header: rtp.Header{SequenceNumber: number, Timestamp: 7, Marker: last}, Payload: payload}
	}
	for name, test := range map[string]struct {
		packets []*rtp.Packet
		want    [][][]byte
		wrong   int
	}{
		"sets and picture in one packet": {[]*rtp.Packet{packet(1, true, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 4, 5)},
			[][][]byte{{{0x67, 1, 2}, {0x68, 3}, {0x65, 4, 5}}}, 0},
		"a start code before":               {[]*rtp.Packet{packet(1, true, 0, 0, 0, 1, 0x65, 4)}, [][][]byte{{{0x65, 4}}}, 0},
		"a fragment that is first and last": {[]*rtp.Packet{packet(1, true, 0x7c, 0xc5, 4, 5)}, [][][]byte{{{0x65, 4, 5}}}, 0},
		"begun in the middle":               {[]*rtp.Packet{packet(1, false, 0x7c, 0x05, 4), packet(2, true, 0x7c, 0x45, 5), packet(3, true, 0x61, 1)}, [][][]byte{{{0x61, 1}}}, 0},
		"a part is missing": {[]*rtp.Packet{packet(1, false, 0x7c, 0x85, 4), packet(3, true, 0x7c, 0x45, 5), packet(4, true, 0x61, 1)},
			[][][]byte{{{0x61, 1}}}, 1},
		"the end is missing":   {[]*rtp.Packet{packet(1, false, 0x7c, 0x85, 4), packet(2, true, 0x61, 1)}, [][][]byte{{{0x61, 1}}}, 0},
		"lengths that lie":     {[]*rtp.Packet{packet(1, true, 0x78, 0, 2, 0x67, 1, 0, 9, 0x68)}, [][][]byte{{{0x67, 1}}}, 1},
		"padding":              {[]*rtp.Packet{packet(1, true, 0x78, 0, 2, 0x67, 1, 0, 0)}, [][][]byte{{{0x67, 1}}}, 0},
		"nothing, and no kind": {[]*rtp.Packet{packet(1, true), packet(2, true, 0x7d, 1), packet(3, true, 0x7c)}, nil, 3},
	} {
		got, _, wrong := unpack(t, &media.Packets{}, test.packets)
		if diff := cmp.Diff(test.want, got); diff != "" || wrong != test.wrong {
			t.Errorf("%s: %d wrong, want %d; (-want +got):\n%s", name, wrong, test.wrong, diff)
		}
	}
}

// A picture without end is given up, and the next one is whole.
func TestPictureWithoutEnd(t *testing.T) {
	var p media.Packets
	n := 0
	keep := func([][]byte, uint32) error { n++; return nil }
	part := append([]byte{0x7c, 0x05}, make([]byte, 60<<10)...)
	p.Take([]byte{0x7c, 0x85, 1}, 0, 1, false, keep)
	for i := range uint16(1000) {
		p.Take(part, i+1, 1, false, keep)
	}
	if ok, err := p.Take([]byte{0x61, 1}, 2000, 2, true, keep); !ok || err != nil || n > 1 {
		t.Errorf("%d pictures, %t, %v", n, ok, err)
	}
}

// Any packets end in pictures of bounded size. The input is a row of packets: flags, a
// number, a length, as much.
func FuzzPackets(f *testing.F) {
	seeds(f, "FuzzPackets", 4)
	f.Fuzz(func(t *testing.T, session []byte, h265 bool) {
		p := media.Packets{H265: h265}
		for len(session) > 3 {
			flags, number, size := session[0], session[1], min(int(session[2]), len(session)-3)
			p.Take(session[3:3+size], uint16(number), uint32(flags>>1), flags&1 != 0, func(nals [][]byte, _ uint32) error {
				if len(nals) == 0 || len(nals) > 600 {
					t.Fatalf("%d NAL units", len(nals))
				}
				for _, nal := range nals {
					if len(nal) == 0 {
						t.Fatal("an empty NAL unit")
					}
				}
				return nil
			})
			session = session[3+size:]
		}
	})
}
