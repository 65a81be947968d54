package keytest

import (
	"crypto/ed25519"
	"encoding/json"
	"os"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// Home is one home of sealed/testdata/homes.json, with every secret that it has. The
// README beside that file says what its members mean.
type Home struct {
	Says    string          `json:"says"`
	Home    latchkey.HomeID `json:"home"`
	Deeds   [][]byte        `json:"deeds"`
	Owner   homeOwner       `json:"owner"`
	People  []homePerson    `json:"people,omitempty"`
	Epochs  []homeEpoch     `json:"epochs"`
	Agents  []homeAgent     `json:"agents"`
	Cameras []homeCamera    `json:"cameras"`
	title   *deed.Title     // of Deeds
	ring    key.Ring        // of Epochs and People
	agents  []*Agent        // of Agents
}

type homeOwner struct {
	Person        latchkey.PersonID `json:"person"`
	Signing       []byte            `json:"signing"`
	KEM           []byte            `json:"kem"`
	Device        latchkey.DeviceID `json:"device"`
	DeviceSigning []byte            `json:"device_signing"`
}

// homePerson is somebody who is or was in the home besides its owner.
type homePerson struct {
	Name string `json:"name"`
	homeOwner
}

type homeEpoch struct {
	Epoch latchkey.Epoch `json:"epoch"`
	Seed  []byte         `json:"seed"`
}

type homeAgent struct {
	Agent   latchkey.AgentID `json:"agent"`
	Signing []byte           `json:"signing"`
	KEM     []byte           `json:"kem"`
}

type homeCamera struct {
	Camera latchkey.CameraID `json:"camera"`
	Agent  latchkey.AgentID  `json:"agent"`
}

// Export returns the owner's home with all secrets, and those of its agents, each with
// every key that it had.
func (o *Owner) Export(says string, agents ...*Agent) Home {
	h := Home{Says: says, Home: o.Home(), Deeds: o.Deeds(), Owner: exported(o.Keys)}
	for _, e := range o.Ring().Epochs() {
		k, _ := o.Ring().Epoch(e)
		h.Epochs = append(h.Epochs, homeEpoch{e, k.Seed()})
	}
	for _, a := range agents {
		h.Agents = append(h.Agents, homeAgent{a.Keys.Agent, a.Keys.Signing.Seed(), a.Keys.KEM.Seed()})
	}
	for _, c := range o.Title().AllCameras() {
		h.Cameras = append(h.Cameras, homeCamera{c.ID, c.Agent})
	}
	return h
}

// With returns the home with the secrets of one more person.
func (h Home) With(name string, p *Person) Home {
	h.People = append(h.People, homePerson{name, exported(p.Keys)})
	return h
}

func exported(k *key.PersonKeys) homeOwner {
	return homeOwner{k.Person, k.Signing.Seed(), k.KEM.Seed(), k.Device, k.DeviceSigning.Seed()}
}

func (o homeOwner) keys() *key.PersonKeys {
	kem, err := key.PrivateFromSeed(o.KEM)
	must(err)
	return &key.PersonKeys{
		Person: o.Person, Signing: ed25519.NewKeyFromSeed(o.Signing), KEM: kem,
		Device: o.Device, DeviceSigning: ed25519.NewKeyFromSeed(o.DeviceSigning),
	}
}

// ReadHomes reads homes.json and folds and opens each home in it.
func ReadHomes(path string) map[string]*Home {
	b, err := os.ReadFile(path)
	must(err)
	homes := map[string]*Home{}
	must(json.Unmarshal(b, &homes))
	for _, h := range homes {
		h.open()
	}
	return homes
}

func (h *Home) open() {
	var err error
	h.title, err = deed.Fold(h.Home, h.Deeds)
	must(err)
	for _, e := range h.Epochs {
		k, err := key.EpochFromSeed(h.title, e.Epoch, e.Seed)
		must(err)
		h.ring = h.ring.Add(e.Epoch, k)
	}
	for _, p := range h.People {
		h.ring = h.ring.AddOwn(p.keys().KEM)
	}
	for _, a := range h.Agents {
		kem, err := key.PrivateFromSeed(a.KEM)
		must(err)
		h.agents = append(h.agents, NewAgent(&key.AgentKeys{
			Agent: a.Agent, Signing: ed25519.NewKeyFromSeed(a.Signing), KEM: kem,
		}))
	}
}

// Title is what the home's deeds fold into.
func (h *Home) Title() *deed.Title { return h.title }

// Until is the title that the home had after that many deeds.
func (h *Home) Until(deeds int) *deed.Title {
	t, err := deed.Fold(h.Home, h.Deeds[:deeds])
	must(err)
	return t
}

// Ring is the private keys of the home's epochs.
func (h *Home) Ring() key.Ring { return h.ring }

// Agent is the home's agent of that index.
func (h *Home) Agent(i int) *Agent { return h.agents[i] }

// Camera is the home's camera of that index.
func (h *Home) Camera(i int) latchkey.CameraID { return h.Cameras[i].Camera }

// OwnerKeys are those of the home's owner.
func (h *Home) OwnerKeys() *key.PersonKeys { return h.Owner.keys() }

// PersonKeys are those of somebody else.
func (h *Home) PersonKeys(name string) *key.PersonKeys {
	for _, p := range h.People {
		if p.Name == name {
			return p.keys()
		}
	}
	panic("keytest: nobody is called " + name)
}
