package deed

import (
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// The rules of the statements about agents and cameras, and about the home itself, each
// in the order of docs/deed.md.

func (t *Title) placeAgent(b AgentBody, seq uint64) error {
	if err := t.enter(b.Agent, "agent"); err != nil {
		return err
	}
	if n := len(t.Agents()); n >= MaxAgents {
		return refuse(TooMany, "the home has %d agents", n)
	}
	t.agents = append(t.agents, agent{id: b.Agent, since: seq})
	return t.employ(len(t.agents)-1, b, seq)
}

// employ gives an agent keys.
func (t *Title) employ(i int, b AgentBody, seq uint64) error {
	a := &t.agents[i]
	for _, h := range []holder{
		{key: b.Signing[0], use: agentSigns, agent: i, tenure: len(a.tenures), since: seq},
		{key: b.KEM, use: sealedTo, since: seq},
	} {
		if err := t.introduce(h); err != nil {
			return err
		}
	}
	a.tenures = append(slices.Clip(a.tenures), tenure{signing: b.Signing, kem: b.KEM, since: seq})
	return nil
}

// standing says where in agents one is that stands in the home.
func (t *Title) standing(id latchkey.AgentID) (int, error) {
	i := slices.IndexFunc(t.agents, func(a agent) bool { return a.id == id && a.until == 0 })
	if i < 0 {
		return 0, refuse(UnknownAgent, "no such agent in this home")
	}
	return i, nil
}

// retire takes the keys of an agent back.
func (t *Title) retire(i int, lasts []Last, seq uint64) {
	a := &t.agents[i]
	a.tenures = slices.Clone(a.tenures)
	k := &a.tenures[len(a.tenures)-1]
	k.until, k.lasts = seq, lasts
	t.takeBack(seq, k.signing...)
	t.takeBack(seq, k.kem)
}

// lasts checks that those cameras are or were placed with the agent.
func (t *Title) lasts(lasts []Last, id latchkey.AgentID) error {
	for _, l := range lasts {
		if c, ok := t.AnyCamera(l.Camera); !ok || c.Agent != id {
			return refuse(UnknownCamera, "the last object of a camera that is not the agent's")
		}
	}
	return nil
}

func (t *Title) placeCamera(b CameraBody, seq uint64) error {
	if _, err := t.standing(b.Agent); err != nil {
		return err
	}
	if err := t.enter(b.Camera, "camera"); err != nil {
		return err
	}
	if n := len(t.Cameras()); n >= MaxCameras {
		return refuse(TooMany, "the home has %d cameras", n)
	}
	t.placed[b.Camera] = len(t.cameras)
	t.cameras = append(t.cameras, Camera{ID: b.Camera, Agent: b.Agent, Since: seq})
	return nil
}

func (t *Title) replaceAgent(b ReplaceAgentBody, seq uint64) error {
	i, err := t.standing(b.Agent)
	if err != nil {
		return err
	}
	t.retire(i, b.Lasts, seq)
	if err := t.employ(i, b.AgentBody, seq); err != nil {
		return err
	}
	return t.lasts(b.Lasts, b.Agent)
}

func (t *Title) releaseAgent(b ReleaseAgentBody, seq uint64) error {
	i, err := t.standing(b.Agent)
	if err != nil {
		return err
	}
	t.retire(i, b.Lasts, seq)
	t.agents[i].until = seq
	for i, c := range t.cameras {
		if c.Agent == b.Agent && c.Until == 0 {
			t.cameras[i].Until = seq
		}
	}
	return t.lasts(b.Lasts, b.Agent)
}

func (t *Title) releaseCamera(b ReleaseCameraBody, seq uint64) error {
	c, ok := t.Camera(b.Camera)
	if !ok {
		return refuse(UnknownCamera, "no such camera in this home")
	}
	t.cameras[t.placed[c.ID]].Until = seq
	return nil
}

func (t *Title) freeze(freeze bool) error {
	if t.frozen == freeze {
		return refuse(WrongState, "the home is frozen: %v", t.frozen)
	}
	t.frozen = freeze
	return nil
}
