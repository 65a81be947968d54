package letter

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// maxBoots is how many boots a condition corrects.
const maxBoots = 64

// Condition is how an agent and its cameras are.
type Condition struct {
	Version string            `json:"version"` // of the agent's program
	Name    string            `json:"name"`    // of the agent's machine
	Started latchkey.Time     `json:"started"`
	Clock   Clock             `json:"clock"`
	Cameras []CameraCondition `json:"cameras"`
	Spool   Spool             `json:"spool"`
	Disk    Disk              `json:"disk"`
	Footage *Kept             `json:"footage,omitempty"` // nil from an agent that records nothing without end
}

// Quality says how far a clock can be believed.
type Quality string

// The qualities of a clock, as in a binding.
const (
	Unknown      Quality = "unknown"
	Synchronised Quality = "synchronised"
	Estimated    Quality = "estimated"
)

// Clock is the agent's.
type Clock struct {
	Quality Quality `json:"quality"`
	Boots   []Boot  `json:"boots"`
}

// Boot is a boot during which the wall clock was wrong: Correction microseconds are to
// be added to the times of its objects whose quality is unknown.
type Boot struct {
	Boot       latchkey.BootID `json:"boot"`
	Correction int64           `json:"correction"`
}

// CameraCondition is how one camera is.
type CameraCondition struct {
	Camera    latchkey.CameraID `json:"camera"`
	State     string            `json:"state"` // for programs: recording, off, another-device …
	Recording bool              `json:"recording"`
	Since     latchkey.Time     `json:"since"` // of the state
	Says      string            `json:"says"`  // a sentence for people
	Last      latchkey.Time     `json:"last"`  // of the last good picture, 0 for none
	Width     int64             `json:"width"`
	Height    int64             `json:"height"`
	Codec     string            `json:"codec"`
	Rate      float64           `json:"rate"`
	Audio     string            `json:"audio"`  // its codec, "" for none
	Motion    string            `json:"motion"` // a sentence if nothing is told of motion, and why
	Events24H int64             `json:"events_24h"`
}

// Spool is what waits to be uploaded.
type Spool struct {
	Objects int64  `json:"objects"`
	Bytes   int64  `json:"bytes"`
	Limit   int64  `json:"limit"` // bytes
	Says    string `json:"says"`
}

// Disk is that of the spool.
type Disk struct {
	Free int64  `json:"free"` // bytes
	Says string `json:"says"`
}

// Kept is what is recorded without end.
type Kept struct {
	Bytes int64  `json:"bytes"`
	Limit int64  `json:"limit"` // bytes, 0 for as much as the disk takes
	State string `json:"state"` // for programs: ok, full, disk-full, read-only, forbidden, away, slow, failing
	Says  string `json:"says"`  // a sentence for people, "" if all is well

	// Lost is until when that was of which some was removed before its time, to make room;
	// 0 for nothing.
	Lost latchkey.Time `json:"lost,omitempty"`
}

func (c Condition) encode() ([]byte, error) {
	c = c.clean()
	b, err := marshalWith(c, map[string]any{"v": 1})
	if err != nil {
		return nil, err
	}
	if _, err := parseCondition(b); err != nil { // what nobody would show
		return nil, err
	}
	return b, nil
}

func parseCondition(b []byte) (Condition, error) {
	o, err := fields.Parse(b)
	if err != nil {
		return Condition{}, err
	}
	if v := o.Count("v"); o.Err() == nil && v != 1 {
		return Condition{}, fmt.Errorf("content of version %d", v)
	}
	clock, spool, disk := o.Object("clock"), o.Object("spool"), o.Object("disk")
	c := Condition{
		Version: o.Text("version", maxWord), Name: o.Text("name", maxWord), Started: readTime(o, "started"),
		Clock: Clock{Quality: Quality(clock.OneOf("quality", string(Unknown), string(Synchronised), string(Estimated)))},
		Spool: Spool{spool.Count("objects"), spool.Count("bytes"), spool.Count("limit"), spool.Text("says", maxSays)},
		Disk:  Disk{disk.Count("free"), disk.Text("says", maxSays)},
	}
	if o.Has("footage") {
		f := o.Object("footage")
		c.Footage = &Kept{Bytes: f.Count("bytes"), Limit: f.Count("limit"), State: filled(f, "state", maxWord), Says: f.Text("says", maxSays)}
		if f.Has("lost") {
			c.Footage.Lost = readTime(f, "lost")
		}
	}
	for _, b := range clock.List("boots", maxBoots) {
		id, err := latchkey.ParseBootID(b.Text("boot", maxWord))
		if err != nil {
			b.Refuse("%w", err)
		}
		c.Clock.Boots = append(c.Clock.Boots, Boot{id, b.Int("correction", -latchkey.MaxInt, latchkey.MaxInt)})
	}
	for _, k := range o.List("cameras", deed.MaxCameras) {
		c.Cameras = append(c.Cameras, readCameraCondition(k))
	}
	return c, o.Err()
}

func readCameraCondition(o fields.Object) CameraCondition {
	return CameraCondition{
		Camera: readCamera(o), State: filled(o, "state", maxWord), Recording: o.Bool("recording"), Since: readTime(o, "since"),
		Says: o.Text("says", maxSays), Last: readTime(o, "last"), Width: o.Count("width"), Height: o.Count("height"),
		Codec: o.Text("codec", maxWord), Rate: o.Number("rate", 0, maxRate), Audio: o.Text("audio", maxWord),
		Motion: o.Text("motion", maxSays), Events24H: o.Count("events_24h"),
	}
}

func readTime(o fields.Object, name string) latchkey.Time { return latchkey.Time(o.Count(name)) }

// SealCondition seals what an agent says of itself to those who see the whole home.
// The number counts from 1 within an incarnation.
func SealCondition(keys *key.AgentKeys, t *deed.Title, incarnation, number uint64, at latchkey.Time, c Condition) ([]byte, error) {
	plain, err := c.encode()
	if err != nil {
		return nil, fmt.Errorf("seal condition: %w", err)
	}
	epoch, ok := t.EpochKey(t.Epoch())
	if !ok {
		return nil, fmt.Errorf("seal condition: home %s has no epoch", t.Home())
	}
	l := sealed.Letter{Kind: sealed.ConditionLetter, Agent: keys.Agent, Incarnation: incarnation, Number: number, Time: at}
	l, err = write(l, keys.Signing, t, sealed.Recipient{Recipient: sealed.ToEpoch, Key: epoch, Epoch: t.Epoch()}, plain)
	if err != nil {
		return nil, fmt.Errorf("seal condition: %w", err)
	}
	return l.Bytes(), nil
}

// OpenCondition checks and opens the condition of that agent. seen is the newest that
// the reader has seen of it, nil for none; an older one is refused as replayed.
func OpenCondition(b []byte, t *deed.Title, agent latchkey.AgentID, seen *sealed.Letter, ring key.Ring) (Condition, sealed.Letter, error) {
	l, err := parse(b, sealed.ConditionLetter)
	if err != nil {
		return Condition{}, l, err
	}
	if err := sealed.VerifyLetter(l, t); err != nil {
		return Condition{}, l, err
	}
	if l.Agent != agent {
		return Condition{}, l, sealed.Refuse(sealed.WrongAgent, "the condition of agent %s", l.Agent)
	}
	if seen != nil {
		if err := l.Since(*seen); err != nil {
			return Condition{}, l, err
		}
	}
	plain, err := parcel.Open(&l, ring.Find)
	if err != nil {
		return Condition{}, l, err
	}
	c, err := parseCondition(plain)
	if err != nil {
		return Condition{}, l, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	return c, l, nil
}
