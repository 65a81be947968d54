package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
)

// victim is somebody who will be removed.
type victim struct {
	home    *home
	person  *keytest.Person
	session *api.Home
	readers []*reader
}

// pastEvery is how many are given the past back to the same clip. Each removal makes it
// two epochs longer.
const pastEvery = 100

// admit takes somebody new into the home, and signs them in.
func (h *home) admit(ctx context.Context) (*victim, error) {
	if h.came++; h.came%pastEvery == 0 {
		if err := h.record(ctx); err != nil {
			return nil, err
		}
	}
	v := &victim{home: h, person: keytest.NewPerson()}
	_, err := h.change(ctx, 0, func() { h.owner.Admit(h.owner.Invite(keytest.AsResident), v.person, h.since) })
	if err != nil {
		return nil, err
	}
	k := v.person.Keys
	v.session, err = h.cloud.places[0].Client.SignIn(ctx, h.owner.Home(), k.Device, k.DeviceSigning, h.owner.Title().Head())
	if err != nil {
		return nil, fmt.Errorf("sign somebody in: %w", err)
	}
	return v, nil
}

func (v *victim) close() {
	for _, r := range v.readers {
		r.conn.Close() // its reader sees the end
	}
}

// begins is how long the first byte may take.
const begins = 20 * time.Second

// read has the victim read by every way that there is at those servers, and returns when
// all of it is under way.
func (v *victim) read(ctx context.Context, at ...int) ([]*reader, error) {
	h := v.home
	var live []*reader // of them, whoever watches a camera
	for _, i := range at {
		questions := []question{download(*h.clip.Load()), changes(h.owner.Home())}
		if i == 0 { // the agent's server
			sent, err := letter.SealCommand(v.person.Keys.DeviceSigning, h.owner.Title(), h.agent.Keys.Agent, 1, now(), letter.Discover{})
			if err != nil {
				return nil, err
			}
			questions = append(questions, command(h.owner.Home(), h.agent.Keys.Agent, sent.Bytes()))
		}
		watching, err := v.watching()
		if err != nil {
			return nil, err
		}
		questions = append(questions, watching)
		for _, q := range questions {
			r, err := read(ctx, h.cloud.places[i].Client.Origin(), v.session, q)
			if err != nil {
				return nil, err
			}
			if q.says != nil {
				live = append(live, r)
			}
			v.readers = append(v.readers, r)
		}
	}
	late := time.After(begins)
	for _, r := range v.readers {
		select {
		case <-r.began:
		case <-late:
			return nil, fmt.Errorf("a reader has nothing after %s", begins)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	until := time.Now().Add(begins)
	for _, l := range live {
		for ; !l.flows(); pause(ctx, 10*time.Millisecond) {
			if ctx.Err() != nil || time.Now().After(until) {
				return nil, fmt.Errorf("whoever watches live has %q and no picture", l.first())
			}
		}
	}
	pause(ctx, 100*time.Millisecond+rand.N(200*time.Millisecond)) // the buffers fill
	for _, r := range v.readers {
		select {
		case <-r.ended:
			return nil, fmt.Errorf("a reader was given %q, and its end before anybody was removed", r.first())
		default:
		}
		if line := r.first(); !strings.HasPrefix(line, "HTTP/1.1 200 ") && !strings.HasPrefix(line, "HTTP/1.1 101 ") {
			return nil, fmt.Errorf("a reader was given %q", line)
		}
	}
	return v.readers, nil
}
