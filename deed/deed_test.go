package deed_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

func TestTitleSaysWhoAndWhat(t *testing.T) {
	h := draw(t, house+" -> epoch -> agent garden -> camera pond@garden")
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	if title.Home() != deed.Hash(h.deeds[0]) {
		t.Error("the home is not the hash of its first deed")
	}
	if want := (latchkey.Head{Seq: 6, Hash: deed.Hash(h.deeds[6])}); title.Head() != want {
		t.Errorf("head %s, want %s", title.Head(), want)
	}
	var epochs []latchkey.Epoch
	for seq := range uint64(8) {
		epochs = append(epochs, title.EpochAt(seq))
	}
	if diff := cmp.Diff([]latchkey.Epoch{0, 1, 1, 1, 2, 2, 2, 2}, epochs); diff != "" {
		t.Errorf("epochs at each deed (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff([]deed.Camera{
		{ID: h.camera("door"), Agent: h.agent("hall").Agent, Since: 3},
		{ID: h.camera("pond"), Agent: h.agent("garden").Agent, Since: 6},
	}, title.Cameras()); diff != "" {
		t.Errorf("cameras (-want +have):\n%s", diff)
	}
	if a, ok := title.AgentByKey(h.agent("garden").KeyID()); !ok || a.ID != h.agent("garden").Agent || a.Since != 5 {
		t.Errorf("the garden's agent by its key: %v, %v", a, ok)
	}
	if d, ok := title.Device(h.owner.Device); !ok || d.Person != h.owner.Person || d.Signing[0].ID() != h.owner.Public().Devices[0].Signing[0].ID() {
		t.Errorf("the owner's device: %v, %v", d, ok)
	}
	if _, ok := title.PersonBySigningKey(h.owner.Public().Signing[0].ID()); !ok {
		t.Error("the owner is not found by the owner's key")
	}
}

// TestKeysHaveOnePlace: a key of one kind is not taken for one of another.
func TestKeysHaveOnePlace(t *testing.T) {
	h := draw(t, house)
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	device := h.owner.Public().Devices[0].Signing[0].ID()
	agent, epoch := h.agent("hall"), key0(title)
	for what, found := range map[string]bool{
		"a device's key is not its person's": second(title.PersonBySigningKey(device)),
		"a device's key is not an agent's":   second(title.AgentByKey(device)),
		"an agent's key is not a person's":   second(title.PersonBySigningKey(agent.KeyID())),
		"an agent's KEM key signs nothing":   second(title.AgentByKey(agent.KEM.ID())),
		"an epoch's key signs nothing":       second(title.SigningKey(epoch.ID())),
		"there is no epoch 0":                second(title.EpochKey(0)),
		"there is no epoch 2 yet":            second(title.EpochKey(2)),
		"there is no deed beyond the head":   second(title.HashAt(4)),
	} {
		if found {
			t.Error(what)
		}
	}
	if epoch.Verify([]byte("m"), make([]byte, 64)) {
		t.Error("a key that is sealed to verifies signatures")
	}
}

func key0(t *deed.Title) deed.Key {
	k, _ := t.EpochKey(1)
	return k
}

func second[T any](_ T, ok bool) bool { return ok }

func TestFoldKnowsTheHome(t *testing.T) {
	h, stranger := draw(t, house), draw(t, house)
	home := deed.Hash(h.deeds[0])
	for name, c := range map[string]struct {
		deeds [][]byte
		want  deed.Reason
	}{
		"its own chain":                  {h.deeds, ""},
		"a wholly different chain":       {stranger.deeds, deed.WrongHome},
		"the first deed altered":         {draw(t, "found{body altered}").deeds, deed.WrongHome},
		"the first deed missing":         {h.deeds[1:], deed.NotFound},
		"nothing":                        {nil, deed.NotFound},
		"no deed":                        {[][]byte{{}}, deed.Malformed},
		"another home's deed in between": {slices.Concat(h.deeds[:2], stranger.deeds[2:3]), deed.WrongHome},
		"one deed missing":               {slices.Concat(h.deeds[:2], h.deeds[3:]), deed.Gap},
		"two deeds exchanged":            {[][]byte{h.deeds[0], h.deeds[2], h.deeds[1]}, deed.Gap},
	} {
		if _, err := deed.Fold(home, c.deeds); deed.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestAppendIsAllOrNothing: a title does not change, whether deeds are taken or not,
// and two that grew from the same one do not see each other.
func TestAppendIsAllOrNothing(t *testing.T) {
	h := draw(t, house+" -> camera gate@hall -> camera shed@hall{by stranger}")
	title, err := deed.Start(h.deeds[:4]...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = title.Append(h.deeds[4:]...)
	if e, ok := errors.AsType[*deed.Error](err); !ok || e.At != 1 || e.Reason != deed.UnknownSigner {
		t.Errorf("append a good deed and a bad one: %v, want the second of the two refused", err)
	}
	a, err := title.Append(h.deeds[4])
	if err != nil {
		t.Fatal(err)
	}
	other, err := deed.Sign(h.owner.Signing, title, h.now, deed.CameraBody{Camera: latchkey.NewCameraID(), Agent: h.agent("hall").Agent})
	if err != nil {
		t.Fatal(err)
	}
	b, err := title.Append(other)
	if err != nil {
		t.Fatal(err)
	}
	if len(title.Cameras()) != 1 || len(a.Cameras()) != 2 || a.Cameras()[1].ID != h.camera("gate") || a.OnChain(b.Head()) {
		t.Error("titles that grew from the same one are mixed up")
	}
	if diff := cmp.Diff(h.deeds[2:5], a.Deeds(2)); diff != "" {
		t.Errorf("deeds from number 2 on:\n%s", diff)
	}
	if d := a.Deeds(99); len(d) != 0 {
		t.Errorf("%d deeds beyond the end", len(d))
	}
}

// TestNothingIsKept: whoever uses a buffer again does not change what was read from it.
func TestNothingIsKept(t *testing.T) {
	h := draw(t, house)
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	before, head := summary(title), title.Head()
	for _, b := range h.deeds {
		clear(b)
	}
	if summary(title) != before || deed.Hash(title.Deeds(3)[0]) != head.Hash {
		t.Error("the title changed with the bytes that it was read from")
	}
}

// TestFullChainTakesNoMore is the one limit that no vector reaches.
func TestFullChainTakesNoMore(t *testing.T) {
	h := draw(t, "found -> epoch -> epoch")
	title, err := deed.Start(h.deeds[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := title.Append(h.deeds[1]); err != nil {
		t.Fatal(err)
	}
	deed.FillChain(title)
	if _, err := title.Append(full(t, h, title)); deed.ReasonOf(err) != deed.TooMany {
		t.Errorf("deed number %d: %v, want %s", deed.MaxChain, err, deed.TooMany)
	}
}

func full(t *testing.T, h *history, title *deed.Title) []byte {
	b, _, err := key.NewEpoch(title)
	if err != nil {
		t.Fatal(err)
	}
	d, err := deed.Sign(h.owner.Signing, title, h.now, b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSignWantsEd25519(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := deed.Sign(k, nil, 0, deed.CameraBody{}); err == nil {
		t.Error("signed with an ECDSA key")
	}
	if _, err := deed.Sign(broken{key.Signing()}, nil, 0, deed.CameraBody{}); err == nil {
		t.Error("signed with a key that would not")
	}
}

// broken is a signer whose hardware is not there.
type broken struct{ crypto.Signer }

func (broken) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no such token")
}

func TestAgentBytes(t *testing.T) {
	k, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	b := k.Body().AgentBytes()
	if got, err := deed.ParseAgent(b); err != nil || !cmp.Equal(got, k.Body()) {
		t.Errorf("parsed %v, %v", got, err)
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append(slices.Clone(b), 0)} {
		if _, err := deed.ParseAgent(bad); deed.ReasonOf(err) != deed.Malformed {
			t.Errorf("%d of %d bytes: %v, want %s", len(bad), len(b), err, deed.Malformed)
		}
	}
}
