package camera

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/latchkey-cam/latchkey/media"
)

// play asks for the stream and has its packets sent to r.
func (r *session) play(ctx context.Context, u *base.URL) error {
	desc, _, err := r.client.Describe(u)
	if r.refused != nil {
		return r.refused
	}
	if err != nil {
		return err
	}
	if r.video == nil || len(desc.Medias) == 0 {
		return r.Credentials.failure(NoVideo, "describe stream: no video")
	}
	pictures := desc.Medias[0]
	if err := r.setup(desc, pictures); err != nil {
		return err
	}
	var sounds *description.Media
	if r.audio != nil && len(desc.Medias) > 1 && !r.deaf() {
		r.listening = true
		if err := r.setup(desc, desc.Medias[1]); err == nil {
			sounds = desc.Medias[1]
		} else if bad := (liberrors.ErrClientBadStatusCode{}); !errors.As(err, &bad) {
			return err
		}
	}
	r.packets, r.units = &media.Packets{H265: r.video.h265()}, &media.Assembler{H265: r.video.h265()}
	r.announce()
	r.client.OnPacketRTP(pictures, pictures.Formats[0], guard(r, r.see))
	r.client.OnPacketRTCP(pictures, func(p rtcp.Packet) { r.report(p, &r.pictureClock) })
	if sounds != nil {
		if r.ear, err = newEar(ctx, r.audio, r.FFmpeg); err == nil {
			r.client.OnPacketRTP(sounds, sounds.Formats[0], guard(r, r.hear))
			r.client.OnPacketRTCP(sounds, func(p rtcp.Packet) { r.report(p, &r.soundClock) })
		}
	}
	if r.ear == nil && r.info.Audio != "" {
		r.info.Audio, r.info.Ignored = "", fmt.Sprintf("The camera offers sound as %s, but does not send it in a way that can be recorded.", r.info.Audio)
	}
	r.inform()
	r.playing.Store(true)
	_, err = r.client.Play(nil)
	return err
}

// deaf says whether this session does without sound because the one before was lost when
// it asked for it, or gave no picture. A sound is not worth that.
func (r *session) deaf() bool {
	return r.mute != nil && r.mute.CompareAndSwap(true, false)
}

// regret notes that a session with sound gave no picture.
func (r *session) regret() {
	if r.mute != nil && r.listening && r.given.Load() == 0 {
		r.mute.Store(true)
	}
}

// setup asks for one track.
func (r *session) setup(desc *description.Session, m *description.Media) error {
	// The library would ask for the address that it could not parse, and panic.
	if to, err := m.URL(desc.BaseURL); err != nil || to == nil {
		return r.Credentials.failure(Unusable, "describe stream: malformed address of a track")
	}
	_, err := r.client.Setup(desc.BaseURL, m, 0, 0)
	return err
}

// announce takes the parameter sets of the description, of which some cameras send none
// later.
func (r *session) announce() {
	if !r.video.h265() {
		sets := r.video.sets("sprop-parameter-sets")
		if len(sets) > 1 {
			r.units.Announce(nil, sets[0], sets[1:]...)
		}
		return
	}
	if vps, sps := r.video.sets("sprop-vps"), r.video.sets("sprop-sps"); len(vps) > 0 && len(sps) > 0 {
		r.units.Announce(vps[0], sps[0], r.video.sets("sprop-pps")...)
	}
}

// guard returns what takes the packets of one track, in the client's reading goroutine.
// A panic in it would end the whole agent, and with it every other camera.
func guard(r *session, take func(*rtp.Packet) error) func(*rtp.Packet) {
	return func(p *rtp.Packet) {
		defer func() {
			if v := recover(); v != nil {
				r.fail(r.Credentials.failure(Lost, "internal error: %v", v))
			}
		}()
		if err := take(p); err != nil {
			r.fail(err)
		}
	}
}

// see takes one packet of the pictures.
func (r *session) see(p *rtp.Packet) error {
	ok, err := r.packets.Take(p.Payload, p.SequenceNumber, p.Timestamp, p.Marker, r.picture)
	if !ok {
		r.damaged.Add(1)
	}
	return err
}

// picture takes one picture.
func (r *session) picture(nals [][]byte, stamp uint32) error {
	r.pictures.Add(1)
	u, ok, err := r.units.Unit(nals, stamp, time.Now())
	if err != nil {
		return r.Credentials.failure(Unusable, "assemble picture: %v", err)
	}
	if !ok {
		return nil
	}
	if r.ear != nil {
		u.Sounds = r.ear.take()
	}
	r.handle(u)
	r.given.Add(1)
	if u.Key {
		r.keys.Add(1)
	}
	return nil
}

// watch ends the session when pictures stop coming.
func (r *session) watch(ctx context.Context) {
	tick := time.NewTicker(max(r.Patience/20, time.Millisecond))
	defer tick.Stop()
	key, keys, last, seen := time.Now(), int64(0), time.Now(), int64(0)
	unit, given := time.Now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n := r.pictures.Load(); n != seen {
				last, seen = now, n
			}
			if n := r.keys.Load(); n != keys {
				key, keys = now, n
			}
			if n := r.given.Load(); n != given {
				unit, given = now, n
			}
			switch {
			case now.Sub(last) > r.Patience:
				r.fail(r.Credentials.failure(Silent, "receive stream: no picture for %v", r.Patience))
				return
			case given > 0 && now.Sub(unit) > r.Patience:
				// It sends something else than it has described. Asked again, it will say what.
				r.fail(r.Credentials.failure(Lost, "receive stream: nothing that could be used for %v", r.Patience))
				return
			case now.Sub(key) > keyPatience*r.Patience:
				r.fail(r.Credentials.failure(NoKeyFrame, "receive stream: no key frame for %v", keyPatience*r.Patience))
				return
			}
		}
	}
}
