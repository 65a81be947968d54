package deed

import (
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// Agent is an agent that was placed at the deed numbered Since, with the keys that it
// has or had.
type Agent struct {
	ID      latchkey.AgentID
	Signing []Key
	KEM     Key
	Since   uint64
	Until   uint64 // the deed that released it, 0 if it stands in the home
}

// Camera is a camera that was placed with its agent at the deed numbered Since. Only
// what that agent signed is taken for it.
type Camera struct {
	ID    latchkey.CameraID
	Agent latchkey.AgentID
	Since uint64
	Until uint64 // the deed that released it or its agent, 0 if it stands in the home
}

// agent is an agent with all the keys that it ever had.
type agent struct {
	id           latchkey.AgentID
	since, until uint64
	tenures      []tenure // in the order of their deeds
}

// tenure is the keys of an agent from one deed on until before another.
type tenure struct {
	signing      []Key
	kem          Key
	since, until uint64
	lasts        []Last // which objects were the last, where the deed that ended it says so
}

func (a agent) with(k tenure) Agent { return Agent{a.id, k.signing, k.kem, a.since, a.until} }

// now is the agent with its newest keys.
func (a agent) now() Agent { return a.with(a.tenures[len(a.tenures)-1]) }

// Agents returns the agents that stand in the home, in the order in which they were
// placed.
func (t *Title) Agents() []Agent {
	return slices.DeleteFunc(t.AllAgents(), func(a Agent) bool { return a.Until != 0 })
}

// AllAgents returns the agents that ever stood in the home, in the order in which they
// were placed, with the newest keys of each.
func (t *Title) AllAgents() []Agent {
	var all []Agent
	for _, a := range t.agents {
		all = append(all, a.now())
	}
	return all
}

// AgentsAt returns the agents that stood in the home when the deed with that number was
// the last, in the order in which they were placed, with the keys that they had then.
func (t *Title) AgentsAt(seq uint64) []Agent {
	var all []Agent
	for _, a := range t.agents {
		if then, ok := a.at(seq); ok {
			all = append(all, then)
		}
	}
	return all
}

// AgentAt returns the agent of that ID as it was when the deed with that number was the
// last, if it stood in the home then.
func (t *Title) AgentAt(id latchkey.AgentID, seq uint64) (Agent, bool) {
	a, _ := t.agent(id)
	return a.at(seq)
}

func (a agent) at(seq uint64) (Agent, bool) {
	k, ok := find(a.tenures, func(k tenure) bool { return k.since <= seq && (k.until == 0 || seq < k.until) })
	return a.with(k), ok
}

func (t *Title) agent(id latchkey.AgentID) (agent, bool) {
	return find(t.agents, func(a agent) bool { return a.id == id })
}

// Agent returns the agent of that ID that stands in the home.
func (t *Title) Agent(id latchkey.AgentID) (Agent, bool) {
	a, ok := t.agent(id)
	if !ok || a.until != 0 {
		return Agent{}, false
	}
	return a.now(), true
}

// AgentByKey returns the agent, standing or former, whose signing key that is or was,
// with the keys that it had with it.
func (t *Title) AgentByKey(id latchkey.KeyID) (Agent, bool) {
	h := t.keys[id]
	if h.use != agentSigns {
		return Agent{}, false
	}
	a := t.agents[h.agent]
	return a.with(a.tenures[h.tenure]), true
}

// Signs says whether an object counts that was signed with that key of an agent for a
// camera at the head with that number, with that incarnation and sequence: the key had
// not been taken back by then, the camera was not released by then, and the object is
// not past what the deed that took the key back says was the last.
func (t *Title) Signs(key latchkey.KeyID, camera latchkey.CameraID, head, incarnation, sequence uint64) bool {
	h := t.keys[key]
	c, placed := t.AnyCamera(camera)
	if h.use != agentSigns || !placed || c.Agent != t.agents[h.agent].id {
		return false
	}
	k := t.agents[h.agent].tenures[h.tenure]
	if k.until != 0 && head >= k.until || c.Until != 0 && head >= c.Until {
		return false
	}
	last, named := find(k.lasts, func(l Last) bool { return l.Camera == camera })
	return !named || incarnation < last.Incarnation || incarnation == last.Incarnation && sequence <= last.Sequence
}

// Cameras returns the cameras that stand in the home, in the order in which they were
// placed.
func (t *Title) Cameras() []Camera {
	return slices.DeleteFunc(t.AllCameras(), func(c Camera) bool { return c.Until != 0 })
}

// AllCameras returns the cameras that ever stood in the home, in the order in which
// they were placed.
func (t *Title) AllCameras() []Camera { return slices.Clone(t.cameras) }

// Camera returns the camera of that ID that stands in the home.
func (t *Title) Camera(id latchkey.CameraID) (Camera, bool) {
	if c, ok := t.AnyCamera(id); ok && c.Until == 0 {
		return c, true
	}
	return Camera{}, false
}

// AnyCamera returns the camera of that ID that stands in the home or once did.
func (t *Title) AnyCamera(id latchkey.CameraID) (Camera, bool) {
	if i, ok := t.placed[id]; ok {
		return t.cameras[i], true
	}
	return Camera{}, false
}
