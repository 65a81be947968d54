package export

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/vault"
)

const (
	agentWait = 20 * time.Second // for an agent's word on the head
	leaveWait = 20 * time.Second // for taking the device away again
	appends   = 4                // tries to append a deed while others append theirs
)

// visit is a person in a home for as long as an export takes: with a device of their
// own, which a server hands out objects to, and which is struck when they leave.
type visit struct {
	client  *api.Client
	id      latchkey.HomeID
	keys    *key.PersonKeys
	session *api.Home
	title   *deed.Title
	ring    key.Ring
}

// arrive signs in as the person, has the head confirmed, and makes a device.
func arrive(ctx context.Context, client *api.Client, to vault.Home, words string) (*visit, error) {
	v := &visit{client: client, id: to.ID}
	if err := v.signIn(ctx, to); err != nil {
		return nil, err
	}
	err := v.enter(ctx, to, words)
	if err != nil {
		return nil, errors.Join(err, v.leave(ctx))
	}
	return v, nil
}

// signIn signs in as the person, with whichever of their keys the home has.
func (v *visit) signIn(ctx context.Context, to vault.Home) (err error) {
	for _, keys := range []*key.PersonKeys{to.Keys, to.Next} {
		if keys == nil {
			continue
		}
		v.keys = keys
		v.session, err = v.client.SignInPerson(ctx, to.ID, keys.Person, keys.Signing, to.Head)
		if api.ReasonOf(err) != api.SignInRefused {
			return err
		}
	}
	if to.Invited {
		return errors.New("you were invited to this home, and nobody has admitted you yet")
	}
	return errors.New("the home does not know your keys: you were removed, or your keys were changed on another device. Open the home in the app once, then run this again")
}

func (v *visit) enter(ctx context.Context, to vault.Home, words string) error {
	deeds, _, err := v.session.Deeds(ctx, 0)
	if err != nil {
		return err
	}
	if v.title, err = deed.Fold(v.id, deeds); err != nil {
		return fmt.Errorf("check the home's deeds: %w", err)
	}
	if !v.title.OnChain(to.Head) {
		return errors.New("the server shows another history of the home than your devices have seen. Nothing is taken from it: compare what your devices say under Trust")
	}
	if v.ring, err = key.OpenEpochs(v.title, v.keys); err != nil {
		return err
	}
	if err := v.confirm(ctx, words); err != nil {
		return err
	}
	device := v.keys.NewDevice()
	if err := v.append(ctx, device.DeviceBody()); err != nil {
		return err
	}
	arriving := v.session
	if v.session, err = v.client.SignIn(ctx, v.id, device.Device, device.DeviceSigning, v.title.Head()); err != nil {
		v.session = arriving
		return errors.Join(err, v.strike(ctx, device.Device))
	}
	v.keys = device
	return arriving.SignOut(ctx)
}

// confirm has an agent say that the chain which was shown is the newest, or takes the
// person's word, who has compared it with another device (docs/deed.md, "The title").
func (v *visit) confirm(ctx context.Context, words string) error {
	head := v.title.Head()
	shown := strings.Join(latchkey.Words(head.Hash[:latchkey.FingerprintWords]), " ")
	if strings.Join(strings.Fields(strings.ToLower(words)), " ") == shown {
		return nil
	}
	for _, agent := range v.title.Agents() {
		head, err := v.askAgent(ctx, agent.ID)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue // it is away, or cannot: another one may do
		}
		if err := v.refresh(ctx); err != nil {
			return err
		}
		if !v.title.OnChain(head) {
			return fmt.Errorf("the server shows another history of the home than agent %s knows. Nothing is taken from it", agent.ID)
		}
		return nil
	}
	return fmt.Errorf("no agent of the home answers, which would say whether the server shows all of the home's history. Compare these words with those under Trust on one of your devices:\n\n    %s\n\nIf they are the same, run the command again with --words and those words in quotes. If not, the server hides something", shown)
}

// askAgent asks an agent which head is the newest that it knows.
func (v *visit) askAgent(ctx context.Context, agent latchkey.AgentID) (latchkey.Head, error) {
	ctx, stop := context.WithTimeout(ctx, agentWait)
	defer stop()
	incarnation, err := v.incarnation(ctx, agent) // a guest is not told, and compares words
	if err != nil {
		return latchkey.Head{}, err
	}
	sent, err := letter.SealCommand(v.keys.Signing, v.title, agent, incarnation, latchkey.TimeOf(time.Now()), letter.ConfirmHead{})
	if err != nil {
		return latchkey.Head{}, err
	}
	replies, err := v.session.Command(ctx, agent, sent.Bytes())
	if err != nil {
		return latchkey.Head{}, err
	}
	defer replies.Close() // nothing more is read
	for {
		b, err := replies.Next()
		if err != nil {
			return latchkey.Head{}, err
		}
		reply, err := sent.Open(b, v.title)
		if err != nil {
			return latchkey.Head{}, err
		}
		if confirmed, ok := reply.(letter.Confirmed); ok {
			return confirmed.Head, nil
		}
		if reply.Last() {
			return latchkey.Head{}, errors.New("the agent does not say which head it knows")
		}
	}
}

// incarnation reads which start of itself an agent is in.
func (v *visit) incarnation(ctx context.Context, agent latchkey.AgentID) (uint64, error) {
	all, err := v.session.Conditions(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		if c.Agent == agent && len(c.Letter) > 0 {
			_, l, err := letter.OpenCondition(c.Letter, v.title, agent, nil, v.ring)
			return l.Incarnation, err
		}
	}
	return 0, fmt.Errorf("agent %s has not said how it is", agent)
}

// refresh fetches the deeds that have come since.
func (v *visit) refresh(ctx context.Context) error {
	deeds, _, err := v.session.Deeds(ctx, v.title.Head().Seq+1)
	if err != nil {
		return err
	}
	t := v.title
	for _, d := range deeds {
		if t, err = t.Append(d); err != nil {
			return fmt.Errorf("check the home's deeds: %w", err)
		}
	}
	ring, err := key.OpenEpochs(t, v.keys)
	if err != nil {
		return err
	}
	v.title, v.ring = t, ring
	return nil
}

// append signs a deed and appends it, behind those that others append meanwhile.
func (v *visit) append(ctx context.Context, body deed.Body) error {
	for try := 1; ; try++ {
		d, err := deed.Sign(v.keys.Signing, v.title, max(latchkey.TimeOf(time.Now()), v.title.LastTime()), body)
		if err != nil {
			return err
		}
		t, err := v.title.Append(d)
		if deed.ReasonOf(err) == deed.TooMany {
			return errors.New("you have as many devices as a home takes. Remove one that you do not use any more in the app, under You; an export is one for as long as it runs")
		} else if err != nil {
			return err
		}
		_, err = v.session.Append(ctx, v.title.Head(), d)
		if err == nil {
			v.title = t
			return nil
		}
		if api.ReasonOf(err) != api.Conflict || try == appends {
			return err
		}
		if err := v.refresh(ctx); err != nil {
			return err
		}
	}
}

// leave takes the device away again and ends the session, even if what is done meanwhile
// was interrupted.
func (v *visit) leave(ctx context.Context) error {
	if v.session == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), leaveWait)
	defer stop()
	if v.keys.DeviceSigning == nil { // there is no device yet
		return v.session.SignOut(ctx)
	}
	return v.strike(ctx, v.keys.Device)
}

// strike takes a device away, and with it its sessions.
func (v *visit) strike(ctx context.Context, device latchkey.DeviceID) error {
	err := v.append(ctx, deed.StrikeBody{Device: device})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("this export stays among your devices in the home, without a name, until you remove it in the app, under You: %w", err)
	}
	return err
}
