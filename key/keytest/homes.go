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
	Says    string             `json:"says"`
	Home    latchkey.HomeID    `json:"home"`
	Deeds   [][]byte           `json:"deeds"`
	Owner   homeOwner          `json:"owner"`
	Epochs  []homeEpoch        `json:"epochs"`
	Agents  []homeAgent        `json:"agents"`
	Cameras []homeCamera       `json:"cameras"`
	title   *deed.Title        // of Deeds
	ring    key.Ring           // of Epochs
	agents  []*Agent           // of Agents
	signing ed25519.PrivateKey // of Owner
}

type homeOwner struct {
	Person        latchkey.PersonID `json:"person"`
	Signing       []byte            `json:"signing"`
	KEM           []byte            `json:"kem"`
	Device        latchkey.DeviceID `json:"device"`
	DeviceSigning []byte            `json:"device_signing"`
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

// Export returns the owner's home with all secrets, and those of its agents.
func (o *Owner) Export(says string, agents ...*Agent) Home {
	h := Home{
		Says: says, Home: o.Home(), Deeds: o.Deeds(),
		Owner: homeOwner{
			o.Keys.Person, o.Keys.Signing.Seed(), o.Keys.KEM.Seed(),
			o.Keys.Device, o.Keys.DeviceSigning.Seed(),
		},
	}
	for _, e := range o.Ring().Epochs() {
		k, _ := o.Ring().Epoch(e)
		h.Epochs = append(h.Epochs, homeEpoch{e, k.Seed()})
	}
	for _, a := range agents {
		h.Agents = append(h.Agents, homeAgent{a.Keys.Agent, a.Keys.Signing.Seed(), a.Keys.KEM.Seed()})
	}
	for _, c := range o.Title().Cameras() {
		h.Cameras = append(h.Cameras, homeCamera{c.ID, c.Agent})
	}
	return h
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
	for _, a := range h.Agents {
		kem, err := key.PrivateFromSeed(a.KEM)
		must(err)
		h.agents = append(h.agents, NewAgent(&key.AgentKeys{
			Agent: a.Agent, Signing: ed25519.NewKeyFromSeed(a.Signing), KEM: kem,
		}))
	}
	h.signing = ed25519.NewKeyFromSeed(h.Owner.Signing)
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
func (h *Home) OwnerKeys() *key.PersonKeys {
	kem, err := key.PrivateFromSeed(h.Owner.KEM)
	must(err)
	return &key.PersonKeys{
		Person: h.Owner.Person, Signing: h.signing, KEM: kem,
		Device: h.Owner.Device, DeviceSigning: ed25519.NewKeyFromSeed(h.Owner.DeviceSigning),
	}
}
