package onvif_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/camera/onvif"
)

// vector is a message and what it says was seen.
type vector struct {
	Name, Topic, Operation string
	Source, Data           [][2]string
	Saw                    []string
}

func (v vector) message() onvif.Message {
	items := func(all [][2]string) (items []onvif.Item) {
		for _, i := range all {
			items = append(items, onvif.Item{Name: i[0], Value: i[1]})
		}
		return items
	}
	return onvif.Message{Topic: v.Topic, Operation: v.Operation, Source: items(v.Source), Data: items(v.Data)}
}

// What cameras of many makes say, and what it comes to. Each thing that can be seen is
// said by some of them, and most of what is said is nothing.
func TestWhatCamerasSay(t *testing.T) {
	b, err := os.ReadFile("testdata/sightings.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(b, &all); err != nil || len(all) != 48 {
		t.Fatalf("%d vectors, %v; want 48", len(all), err)
	}
	said, nothing := map[string]int{}, 0
	for _, v := range all {
		saw := append([]string{}, v.message().Sighting().Names()...)
		if diff := cmp.Diff(v.Saw, saw); diff != "" {
			t.Errorf("%s: %s", v.Name, diff)
		}
		if len(saw) == 0 {
			nothing++
		}
		for _, s := range saw {
			said[s]++
		}
	}
	for _, s := range []string{"visitor", "person", "face", "vehicle", "animal", "package"} {
		if said[s] == 0 {
			t.Errorf("no vector says %s", s)
		}
	}
	if len(said) != 6 || nothing < 20 {
		t.Errorf("%d things are said, want 6; %d vectors say nothing, want 20", len(said), nothing)
	}
}

// What is seen is told in one order, whatever comes first in the message.
func TestTheOrderOfWhatIsSeen(t *testing.T) {
	m := onvif.Message{Topic: "tns1:RuleEngine/ObjectDetection/Object", Data: []onvif.Item{{Name: "ClassTypes", Value: "Package Animal Vehicle Face Human"}}}
	if got := m.Sighting().Names(); !slices.Equal(got, []string{"person", "face", "vehicle", "animal", "package"}) {
		t.Error(got)
	}
}
