package cameratest

import (
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"
)

// Sound is the sound of a film, frame by frame.
type Sound struct {
	Frames [][]byte
	Format format.Format

	// Step is how long a frame lasts, in ticks of the format's clock. Lead is how many
	// ticks of the first frame are from before the film: what the encoder puts first.
	Step, Lead uint32

	// Skew says at which tick of the camera's sound clock a frame is stamped that
	// should be at tick; nil is the tick itself. A frame for which it reports false is
	// not sent.
	Skew func(tick uint32) (uint32, bool)
}

// EncodeSound encodes what an ffmpeg filter gives. Kind is "PCMU", "PCMA", "AAC" or
// "OPUS".
func EncodeSound(t testing.TB, kind, filter string) *Sound {
	t.Helper()
	encode := func(args ...string) []byte {
		line := append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", filter, "-ac", "1"}, args...)
		out, err := exec.Command("ffmpeg", append(line, "pipe:1")...).Output()
		if err != nil {
			t.Fatalf("encode a sound: %v", err)
		}
		return out
	}
	switch kind {
	case "PCMU", "PCMA":
		law, number := "mulaw", uint8(0)
		if kind == "PCMA" {
			law, number = "alaw", 8
		}
		s := &Sound{Format: &format.G711{PayloadTyp: number, MULaw: kind == "PCMU", SampleRate: 8000, ChannelCount: 1}, Step: 160}
		for all := encode("-ar", "8000", "-f", law); len(all) >= 160; all = all[160:] {
			s.Frames = append(s.Frames, all[:160])
		}
		return s
	case "AAC":
		s := &Sound{Step: 1024, Lead: 1024, Format: &format.MPEG4Audio{PayloadTyp: 97, ProfileLevelID: 1, SizeLength: 13,
			IndexLength: 3, IndexDeltaLength: 3, Config: &mpeg4audio.AudioSpecificConfig{
				Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelConfig: 1, ChannelCount: 1}}}
		var packets mpeg4audio.ADTSPackets
		if err := packets.Unmarshal(encode("-ar", "16000", "-c:a", "aac", "-f", "adts")); err != nil {
			t.Fatal(err)
		}
		for _, p := range packets {
			s.Frames = append(s.Frames, p.AU)
		}
		return s
	}
	s := &Sound{Format: &format.Opus{PayloadTyp: 97, ChannelCount: 1}, Step: 960, Lead: 312}
	s.Frames = unpackOgg(t, encode("-ar", "48000", "-c:a", "libopus", "-frame_duration", "20", "-f", "ogg"))[2:]
	return s
}

// unpackOgg returns the packets of an Ogg file with one stream.
func unpackOgg(t testing.TB, file []byte) [][]byte {
	t.Helper()
	var packets [][]byte
	var packet []byte
	for in := bytes.NewReader(file); in.Len() > 0; {
		var head struct {
			Magic    [4]byte
			_        [22]byte
			Segments uint8
		}
		if err := binary.Read(in, binary.LittleEndian, &head); err != nil || string(head.Magic[:]) != "OggS" {
			t.Fatalf("no page of Ogg: %v", err)
		}
		sizes := make([]byte, head.Segments)
		io.ReadFull(in, sizes)
		for _, size := range sizes {
			part := make([]byte, size)
			io.ReadFull(in, part)
			packet = append(packet, part...)
			if size < 255 {
				packets, packet = append(packets, packet), nil
			}
		}
	}
	return packets
}

// packets returns what makes packets of a frame.
func (s *Sound) packets() (func(frame []byte) ([]*rtp.Packet, error), error) {
	switch f := s.Format.(type) {
	case *format.G711:
		e, err := f.CreateEncoder()
		return func(frame []byte) ([]*rtp.Packet, error) { return e.Encode(frame) }, err
	case *format.MPEG4Audio:
		e, err := f.CreateEncoder()
		return func(frame []byte) ([]*rtp.Packet, error) { return e.Encode([][]byte{frame}) }, err
	}
	e, err := s.Format.(*format.Opus).CreateEncoder()
	return func(frame []byte) ([]*rtp.Packet, error) {
		p, err := e.Encode(frame)
		return []*rtp.Packet{p}, err
	}, err
}

// play sends the sound at its pace: a frame once its last sample has been heard.
func (s *Sound) play(t testing.TB, stream *gortsplib.ServerStream, m *description.Media, began time.Time, stop <-chan struct{}) {
	packets, err := s.packets()
	if err != nil {
		t.Error(err)
		return
	}
	rate := s.Format.ClockRate()
	for i, frame := range s.Frames {
		end := int64(i+1)*int64(s.Step) - int64(s.Lead)
		select {
		case <-stop:
			return
		case <-time.After(time.Until(began.Add(time.Duration(end * int64(time.Second) / int64(rate))))):
		}
		tick, send := uint32(i)*s.Step-s.Lead, true
		if s.Skew != nil {
			tick, send = s.Skew(tick)
		}
		if !send {
			continue
		}
		list, err := packets(frame)
		if err != nil {
			t.Error(err)
			return
		}
		for _, p := range list {
			p.Timestamp = 987654 + tick
			taken := began.Add(time.Duration((end - int64(s.Step)) * int64(time.Second) / int64(rate)))
			stream.WritePacketRTPWithNTP(m, p, taken)
		}
	}
}
