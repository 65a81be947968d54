package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
)

// An agent of which there are copies, or whose owner wants it, gets new keys and stays
// the same agent, with its cameras and its spool. The new keys and a new count of starts
// lie beside the old ones until the home has placed them: an owner who never says yes
// takes nothing away. Then a word in agent.json makes them the agent's, and whatever a
// power cut leaves undone after that the next start does.

// replacing is how far a replacement has come.
type replacing struct {
	Slot     string `json:"slot"`
	Head     string `json:"head"` // that the owner announced
	Answered bool   `json:"answered,omitempty"`
	Placed   bool   `json:"placed,omitempty"` // the new keys are the agent's
}

// replace gives the agent of the folder new keys by the link.
func (j *joining) replace(ctx context.Context) (Joined, error) {
	id, err := j.state.settled()
	if errors.Is(err, errNotJoined) || err == nil && !id.Placed {
		return Joined{}, fmt.Errorf("%w (without --replace: this agent has no keys to replace)", ErrNotJoined)
	} else if err != nil {
		return Joined{}, err
	}
	title, err := j.stands(id)
	if err != nil {
		return Joined{}, err
	}
	slot := j.link.Secret.Slot()
	if id.Replacing == nil && id.Slot == slot.String() { // a power cut came before that was said
		return Joined{id.Home, homeStatus(id.Home, title)}, nil
	}
	if r := id.Replacing; r == nil || r.Slot != slot.String() || !r.Answered {
		if id, err = j.answerAgain(ctx, slot, id); err != nil {
			return Joined{}, err
		}
	}
	if j.keys, err = key.LoadAgent(j.state.path(keysFile + next)); err != nil {
		return Joined{}, err
	}
	title, err = j.wait(ctx, id.Home, id.Replacing.Head, startFile+next)
	if err != nil {
		return Joined{}, err
	}
	crash.Point("agent.replace.welcomed")
	id.Server, id.Trust, id.Replacing.Placed = j.link.Origin, j.link.Trust, true
	if err := j.state.keepIdentity(id); err != nil {
		return Joined{}, err
	}
	crash.Point("agent.replace.placed")
	_, err = j.state.settle(id)
	return Joined{id.Home, homeStatus(id.Home, title)}, err
}

// stands refuses an agent that the home has released: it has no place to get keys for.
func (j *joining) stands(id identity) (*deed.Title, error) {
	chain, err := uplink.LoadChain(j.state.dir, deedsFile, id.Home)
	if err != nil {
		return nil, err
	}
	title := chain.Title()
	if title != nil {
		if _, stands := title.Agent(id.Agent); !stands {
			return nil, uplink.ErrReleased
		}
	}
	return title, nil
}

// answerAgain answers the home's announcement with new keys for the agent that it has,
// and keeps how far that has come.
func (j *joining) answerAgain(ctx context.Context, slot api.Slot, id identity) (identity, error) {
	announcement, err := j.announcement(ctx, slot)
	if err != nil {
		return id, err
	}
	home, err := j.check(announcement)
	if err != nil {
		return id, err
	}
	if home.Home != id.Home {
		return id, fmt.Errorf("%w: it is another home's than this agent's. Another home needs another folder (--data)", ErrLink)
	}
	if id.Replacing == nil || id.Replacing.Slot != slot.String() {
		if err := j.state.newKeys(id.Agent); err != nil {
			return id, err
		}
		crash.Point("agent.replace.keys")
		id.Replacing = &replacing{Slot: slot.String(), Head: home.Head.String()}
		if err := j.state.keepIdentity(id); err != nil {
			return id, err
		}
	}
	if j.keys, err = key.LoadAgent(j.state.path(keysFile + next)); err != nil {
		return id, err
	}
	crash.Point("agent.replace.begun")
	if err := j.say(ctx, slot, announcement); err != nil {
		return id, err
	}
	crash.Point("agent.replace.answered")
	id.Replacing.Answered = true
	return id, j.state.keepIdentity(id)
}

// newKeys makes keys for an agent beside those that it has, and a count of starts.
func (s *State) newKeys(agent latchkey.AgentID) error {
	for _, name := range []string{keysFile + next, startFile + next} { // of a link that was not used in the end
		if err := durable.Remove(s.dir, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	k, err := key.NewAgentKeys()
	if err != nil {
		return err
	}
	k.Agent = agent
	if err := k.Save(s.path(keysFile + next)); err != nil {
		return err
	}
	return uplink.RenewStart(s.dir, startFile, startFile+next)
}

// settle puts new keys that the home has placed in the place of the old ones. Those sign
// nothing any more; they are kept until the settings are sealed to the new ones, so that
// a camera that is off stays off.
func (s *State) settle(id identity) (identity, error) {
	if id.Replacing == nil || !id.Replacing.Placed {
		return id, nil
	}
	for _, move := range [][2]string{{keysFile, keysBefore}, {keysFile + next, keysFile}, {startFile + next, startFile}} {
		if _, err := s.dir.Stat(keysFile + next); err != nil && move[0] == keysFile {
			continue // the new ones are in their place
		}
		if err := durable.Move(s.dir, move[0], move[1]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return id, err
		}
		crash.Point("agent.replace.moved")
	}
	id.Slot, id.Head, id.Replacing = id.Replacing.Slot, id.Replacing.Head, nil
	return id, s.keepIdentity(id)
}
