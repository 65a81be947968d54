package paint

import (
	"context"
	"math"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"
)

const (
	soundRate = 8000           // samples a second of µ-law, as most cameras have it
	soundStep = soundRate / 50 // samples in a packet
)

// Sample returns what is heard of the scene at that moment, -1 to 1. Like the picture it
// follows from the time alone: a quiet place, and whoever crosses it is heard on the way.
func Sample(s Scene, at time.Time) float64 {
	p := places[s]
	since := time.Duration(at.UnixNano())
	t := (since % (24 * time.Hour)).Seconds()
	quiet := 0.004 * hiss(uint64(since/(time.Second/soundRate)))
	way, ok := p.way(at)
	if !ok {
		return quiet
	}
	near := math.Sin(math.Pi * way) // from one edge to the other
	return quiet + near*p.heard(t)
}

// steps are a walker's on a path: two a second, each a short thud.
func steps(t float64) float64 {
	after := math.Mod(t, 0.5)
	return 0.5 * math.Exp(-after*40) * math.Sin(2*math.Pi*95*after)
}

// bell is the one at a cat's neck.
func bell(t float64) float64 {
	after := math.Mod(t, 0.33)
	return 0.2 * math.Exp(-after*14) * (math.Sin(2*math.Pi*2093*after) + 0.5*math.Sin(2*math.Pi*3136*after))
}

// engine is a small car's.
func engine(t float64) float64 {
	return 0.2*math.Sin(2*math.Pi*58*t) + 0.12*math.Sin(2*math.Pi*116*t+1) + 0.05*hiss(uint64(t*soundRate))
}

// hiss is noise, the same for the same n.
func hiss(n uint64) float64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return float64(int32(n>>32)) / (1 << 31)
}

// soundTrack is the description of the sound.
func soundTrack() *description.Media {
	return &description.Media{Type: description.MediaTypeAudio,
		Formats: []format.Format{&format.G711{PayloadTyp: 0, MULaw: true, SampleRate: soundRate, ChannelCount: 1}}}
}

// sing sends the sound of a scene until ctx ends. On a busy machine a packet comes late
// and never twice.
func sing(ctx context.Context, scene Scene, stream *gortsplib.ServerStream, m *description.Media) {
	packets, err := m.Formats[0].(*format.G711).CreateEncoder()
	if err != nil {
		return
	}
	began := time.Now()
	tick := time.NewTicker(time.Second * soundStep / soundRate)
	defer tick.Stop()
	pcm := make([]byte, 2*soundStep)
	for n := int64(0); ; n++ {
		at := began.Add(time.Duration(n) * time.Second * soundStep / soundRate)
		for time.Since(at) < time.Second*soundStep/soundRate {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		for i := range soundStep {
			v := int16(32000 * max(-1, min(1, Sample(scene, at.Add(time.Duration(i)*time.Second/soundRate)))))
			pcm[2*i], pcm[2*i+1] = byte(uint16(v)>>8), byte(v)
		}
		law, err := g711.Mulaw(pcm).Marshal()
		if err != nil {
			return
		}
		list, err := packets.Encode(law)
		if err != nil {
			return
		}
		for _, p := range list {
			p.Timestamp = uint32(n * soundStep)
			if stream.WritePacketRTPWithNTP(m, p, at) != nil {
				return
			}
		}
	}
}
