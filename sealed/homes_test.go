package sealed_test

import (
	"encoding/json"
	"os"
	"testing"
	"testing/cryptotest"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/vectors"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

const homesFile = "testdata/homes.json"

// makeHomes makes the homes of the vectors, the same every time.
func makeHomes() map[string]keytest.Home {
	a := keytest.NewOwner()
	a.Found()                // 0 found, 1 epoch
	hall := a.PlaceAgent()   // 2
	a.PlaceCamera(hall)      // 3
	a.PlaceCamera(hall)      // 4
	a.StartEpoch()           // 5
	garden := a.PlaceAgent() // 6
	a.PlaceCamera(garden)    // 7

	b := keytest.NewOwner()
	b.Found()
	agent := b.PlaceAgent()
	b.PlaceCamera(agent)

	c := keytest.NewOwner()
	c.FoundWith(2)
	later := c.PlaceAgent()
	c.PlaceCamera(later)

	return map[string]keytest.Home{
		"A": a.Export("two agents, three cameras (the third with the second agent), two epochs", hall, garden),
		"B": b.Export("the neighbours", agent),
		"C": c.Export("takes no object below version 2, and so none that exists", later),
	}
}

// makeD makes the home in which people and agents came and went.
func makeD() keytest.Home {
	d := keytest.NewOwner()
	d.Found()                                                                           // 0 found, 1 epoch
	hall := d.PlaceAgent()                                                              // 2
	door := d.PlaceCamera(hall)                                                         // 3
	gate := d.PlaceCamera(hall)                                                         // 4
	garden := d.PlaceAgent()                                                            // 5
	d.PlaceCamera(garden)                                                               // 6
	anna := keytest.NewPerson()                                                         //
	d.Join(anna, keytest.AsResident)                                                    // 7 invite, 8 admit with epoch 2
	gus := keytest.NewPerson()                                                          //
	d.Join(gus, keytest.AsGuest(door))                                                  // 9 invite, 10 admit
	link := d.Lend(keytest.Rights(d.Now()+3_600_000_000, door))                         // 11 lend
	again := d.ReplaceAgent(hall, deed.Last{Camera: door, Incarnation: 1, Sequence: 2}) // 12
	d.ReleaseAgent(garden)                                                              // 13
	d.ReleaseCamera(gate)                                                               // 14
	d.Dismiss(anna)                                                                     // 15 dismiss with epoch 3
	d.Dismiss(gus)                                                                      // 16
	return d.Export("people and agents came and went", hall, again, garden).With("anna", anna).With("gus", gus).With("link", link)
}

// TestWriteHomes writes the homes that are missing in homes.json, with -write.
// Randomness is fixed, so that the same program writes the same homes.
func TestWriteHomes(t *testing.T) {
	if vectors.Missing(homesFile) {
		cryptotest.SetGlobalRandom(t, 1)
		writeHomes(t, makeHomes())
	}
	homes := map[string]json.RawMessage{}
	b, err := os.ReadFile(homesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &homes); err != nil {
		t.Fatal(err)
	}
	if homes["D"] != nil || !vectors.Writing() {
		return
	}
	cryptotest.SetGlobalRandom(t, 4)
	if homes["D"], err = json.Marshal(makeD()); err != nil {
		t.Fatal(err)
	}
	writeHomes(t, homes)
}

func writeHomes(t *testing.T, homes any) {
	t.Helper()
	b, err := json.MarshalIndent(homes, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(homesFile, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestHomesHoldTogether: the epochs that an owner opens from the deeds are those that
// homes.json gives, and the agents are those of the deeds.
func TestHomesHoldTogether(t *testing.T) {
	for name, h := range keytest.ReadHomes(homesFile) {
		ring, err := key.OpenEpochs(h.Title(), h.OwnerKeys())
		if err != nil {
			t.Fatalf("home %s: %v", name, err)
		}
		if diff := cmp.Diff(h.Ring().Epochs(), ring.Epochs()); diff != "" {
			t.Errorf("home %s: epochs in the file (-) and opened from the deeds (+):\n%s", name, diff)
		}
		for i, a := range h.Agents {
			placed, ok := h.Title().AgentByKey(h.Agent(i).Keys.KeyID())
			if !ok || placed.ID != a.Agent || placed.KEM.ID() != h.Agent(i).Keys.KEM.ID() {
				t.Errorf("home %s: agent %d is not the one of the deeds", name, i)
			}
		}
	}
}
