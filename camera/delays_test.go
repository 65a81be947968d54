package camera

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// Hours go by in these tests, so that the session is made up: sockets know no such
// time. That one session is one login is shown by TestWrongPasswordWaitsLongest.

// sessions follows a camera whose sessions end as said for a time, and returns when
// they began.
func sessions(t *testing.T, span time.Duration, session func(n int, handle func(media.Unit)) State) (began []time.Duration, last Status) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), span)
		defer cancel()
		start := time.Now()
		f := &follower{source: Source{}, handle: func(media.Unit) {}, tell: func(s Status) { last = s },
			receive: func(ctx context.Context, s Source, _ *atomic.Uint64, handle func(media.Unit)) error {
				began = append(began, time.Since(start))
				return s.Credentials.failure(session(len(began), handle), "as said")
			}}
		f.run(ctx)
	})
	return began, last
}

// about checks the pauses between sessions, which may be a fifth more or less.
func about(t *testing.T, what string, began []time.Duration, want ...time.Duration) {
	t.Helper()
	if len(began) <= len(want) {
		t.Fatalf("%s: %d sessions, want more than %d", what, len(began), len(want))
	}
	for i, w := range want {
		if d := began[i+1] - began[i]; d < w*8/10 || d > w*12/10 {
			t.Errorf("%s: session %d came after %v, want about %v", what, i+2, d, w)
		}
	}
}

func TestDelays(t *testing.T) {
	const s, m = time.Second, time.Minute
	began, last := sessions(t, 3*time.Hour, func(int, func(media.Unit)) State { return Unreachable })
	about(t, "away", began, 1*s, 2*s, 4*s, 8*s, 15*s, 30*s, 60*s, 60*s, 60*s)
	if n := len(began); n < 150 || n > 230 {
		t.Errorf("a camera that is away was looked for %d times in three hours", n)
	}
	if last.State != Unreachable {
		t.Errorf("%+v", last)
	}
	same := 0
	for i := 8; i < 28; i++ {
		if began[i+1]-began[i] == began[i]-began[i-1] {
			same++
		}
	}
	if same > 5 {
		t.Error("the delays do not vary: after a power cut all cameras would be asked at once")
	}

	began, _ = sessions(t, 3*time.Hour, func(int, func(media.Unit)) State { return WrongPassword })
	about(t, "refused", began, 1*m, 2*m, 4*m, 8*m, 16*m, 30*m, 30*m)
	if n := len(began); n > 12 {
		t.Errorf("the wrong password was tried %d times in three hours", n)
	}

	began, _ = sessions(t, time.Hour, func(int, func(media.Unit)) State { return AnotherDevice })
	about(t, "another device", began, 1*m, 1*m, 1*m)
}

// Only a session that gave pictures for a while is followed by another one at once.
func TestDelaysBeginAnew(t *testing.T) {
	const s = time.Second
	p := &media.Parameters{SPS: []byte{0x67, 66, 0, 31}}
	film := func(handle func(media.Unit), span time.Duration) {
		for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(s / 10) {
			now := time.Now()
			handle(media.Unit{NALs: [][]byte{{0x65, byte(now.UnixNano() >> 20), byte(now.UnixNano() >> 28), byte(now.UnixNano() >> 36)}},
				Key: true, Parameters: p, Received: now, Taken: now})
		}
	}
	pauses := func(span time.Duration) (pauses []time.Duration) {
		var ended time.Duration
		start := time.Time{}
		_, _ = sessions(t, 20*time.Minute, func(n int, handle func(media.Unit)) State {
			if start.IsZero() {
				start = time.Now()
			} else {
				pauses = append(pauses, time.Since(start)-ended)
			}
			film(handle, span)
			time.Sleep(20 * s) // a camera that is silent at last has not been healthy so long
			ended = time.Since(start)
			return Silent
		})
		return pauses
	}
	for i, d := range pauses(61 * s)[:5] {
		if d > 2*s {
			t.Errorf("after a minute of pictures the next session, the %d., came after %v", i+2, d)
		}
	}
	if short := pauses(50 * s); short[5] < 20*s {
		t.Errorf("sessions of 50 s each come %v after one another", short[:6])
	}
}
