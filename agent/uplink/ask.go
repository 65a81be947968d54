package uplink

import (
	"context"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// ask sends what has not been asked over this connection yet: a wish that is new, or
// one whose name was sealed to an epoch that has passed.
func (c *conversation) ask(ctx context.Context) error {
	u := c.u
	if u.config.Wishes == nil {
		return nil
	}
	title := u.config.Chain.Title()
	for _, w := range u.config.Wishes() {
		if _, placed := title.Camera(w.Camera); placed || c.asked[w.Camera] == title.Epoch() {
			continue // in epoch 0, in which nobody was asked, there is nobody to ask
		}
		b, err := u.wish(title, w)
		if err != nil {
			return err
		}
		m := api.AskFrame{ID: api.NewRequestID(), Home: u.config.Home, Ask: b}
		if err := send(ctx, c.conn, m); err != nil {
			return err
		}
		c.asked[w.Camera] = title.Epoch()
		c.sent[m.ID] = func(r *api.Refused) {
			if r != nil {
				u.log.Warn("the server refused to pass on the wish to place a camera", "camera", w.Camera.String(), "reason", string(r.Reason), "message", r.Message)
			}
		}
		u.log.Info("asked the home's owner to place a camera", "camera", w.Camera.String())
	}
	return nil
}

// wish makes an ask: the camera's name is sealed to those who see the whole home.
func (u *Uplink) wish(t *deed.Title, w Wish) ([]byte, error) {
	to, _ := t.EpochKey(t.Epoch())
	name, err := key.Seal(to, api.AskNameInfo(u.config.Home, w.Camera), []byte(w.Name))
	if err != nil {
		return nil, fmt.Errorf("seal a camera's name: %w", err)
	}
	ask, err := api.Ask{
		Home: u.config.Home, Agent: u.config.Keys.Agent, Camera: w.Camera, Head: t.Head(),
		Time: latchkey.TimeOf(time.Now()), Key: to.ID(), Epoch: t.Epoch(), SealedName: name,
	}.Sign(u.config.Keys.Signing)
	return ask.Bytes(), err
}
