package key_test

import (
	"bytes"
	"crypto/hpke"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

func private(t *testing.T) *key.Private {
	t.Helper()
	k, err := key.NewPrivate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedToAKey(t *testing.T) {
	k, other, info := private(t), private(t), []byte("what it is")
	s, err := key.Seal(k.Public(), info, []byte("the secret"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := k.Open(info, s); err != nil || string(plain) != "the secret" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, err := k.Open([]byte("what it is not"), s); err == nil {
		t.Error("it opens as something else")
	}
	if _, err := other.Open(info, s); err == nil {
		t.Error("another key opens it")
	}
	if _, err := k.Open(info, s[:len(s)-1]); err == nil {
		t.Error("it opens without its last byte")
	}
	if _, err := key.Seal(keytest.NewOwner().Keys.Public().Signing[0], info, nil); err == nil {
		t.Error("sealed to a key that signs")
	}
	if _, err := key.Seal(deed.Key{Algorithm: deed.XWing, Bytes: make([]byte, 7)}, info, nil); err == nil {
		t.Error("sealed to seven bytes")
	}
	if _, err := key.Seal(deed.Key{Algorithm: 9, Bytes: k.Public().Bytes}, info, nil); err == nil {
		t.Error("sealed to a key of an algorithm that is not there")
	}
}

// TestSeedIsThePrivateKey: a seed is expanded as the KEM's draft says. DeriveKeyPair
// would make another key of it, and nothing sealed by another program would open.
func TestSeedIsThePrivateKey(t *testing.T) {
	k := private(t)
	again, err := key.PrivateFromSeed(k.Seed())
	if err != nil || again.ID() != k.ID() {
		t.Fatalf("the same seed is the key %v, %v; want %v", again.ID(), err, k.ID())
	}
	derived, err := hpke.MLKEM768X25519().DeriveKeyPair(k.Seed())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(derived.PublicKey().Bytes(), k.Public().Bytes) {
		t.Error("the seed is fed through DeriveKeyPair")
	}
	if _, err := key.PrivateFromSeed(k.Seed()[:31]); err == nil {
		t.Error("31 bytes are a key")
	}
}

func TestOwnerOpensEveryEpoch(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	o.StartEpoch()
	o.StartEpoch()
	ring, err := key.OpenEpochs(o.Title(), o.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]latchkey.Epoch{1, 2, 3}, ring.Epochs()); diff != "" {
		t.Errorf("epochs (-want +have):\n%s", diff)
	}
	for _, e := range ring.Epochs() {
		k, _ := ring.Epoch(e)
		public, _ := o.Title().EpochKey(e)
		if k.ID() != public.ID() {
			t.Errorf("epoch %d is another key's", e)
		}
		if found, ok := ring.Find(sealed.ToEpoch, public.ID()); !ok || found != k {
			t.Errorf("epoch %d is not found by its key", e)
		}
		if _, ok := ring.Find(sealed.ToPerson, public.ID()); ok {
			t.Errorf("epoch %d is found as a person", e)
		}
	}
	stranger := keytest.NewOwner()
	if ring, err := key.OpenEpochs(o.Title(), stranger.Keys); err != nil || len(ring.Epochs()) != 0 {
		t.Errorf("a stranger opens %v, %v", ring.Epochs(), err)
	}
}

// TestBadEpochIsNamed: whoever may start epochs can make one that shuts others out. The
// fold cannot see that; the person who opens it does, and is told which it is.
func TestBadEpochIsNamed(t *testing.T) {
	for name, spoil := range map[string]func(b *deed.EpochBody, good, bad deed.EpochBody){
		"a wrap that does not open":          func(b *deed.EpochBody, good, _ deed.EpochBody) { b.Wraps[0].Sealed[1150] ^= 1 },
		"the public key of another seed":     func(b *deed.EpochBody, _, bad deed.EpochBody) { b.Key = bad.Key },
		"a wrap of the seed of another key":  func(b *deed.EpochBody, _, bad deed.EpochBody) { b.Wraps[0].Sealed = bad.Wraps[0].Sealed },
		"a wrap that was made for epoch two": func(b *deed.EpochBody, good, _ deed.EpochBody) {},
	} {
		o := keytest.NewOwner()
		o.Found()
		good, _, err := key.NewEpoch(o.Title())
		if err != nil {
			t.Fatal(err)
		}
		bad, _, err := key.NewEpoch(o.Title())
		if err != nil {
			t.Fatal(err)
		}
		body := good
		if spoil(&body, good, bad); name == "a wrap that was made for epoch two" {
			o.StartEpoch() // the wrap is for number 2, and now stands in number 3
			body.Number = 3
		}
		o.Sign(body)
		want := fmt.Sprintf("epoch %d", body.Number)
		if _, err := key.OpenEpochs(o.Title(), o.Keys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error that names %s", name, err, want)
		}
	}
}

// TestEpochOfARightLookingSeed: a wrap that opens to a seed whose public key is not the
// deed's is refused, though HPKE has nothing against it.
func TestEpochOfARightLookingSeed(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	if _, err := key.EpochFromSeed(o.Title(), 1, private(t).Seed()); err == nil {
		t.Error("another seed passes for epoch 1's")
	}
	k, _ := o.Ring().Epoch(1)
	if _, err := key.EpochFromSeed(o.Title(), 2, k.Seed()); err == nil {
		t.Error("a seed passes for an epoch that is not there")
	}
	body, _, err := key.NewEpoch(o.Title())
	if err != nil {
		t.Fatal(err)
	}
	home, epoch, mine := o.Home(), body.Key.ID(), o.Keys.KEM.ID()
	info := slices.Concat([]byte("latchkey epoch v1\x00"), home[:], binary.BigEndian.AppendUint64(nil, 2), epoch[:], mine[:])
	if body.Wraps[0].Sealed, err = key.Seal(o.Keys.KEM.Public(), info, private(t).Seed()); err != nil {
		t.Fatal(err)
	}
	o.Sign(body)
	if ring, err := key.OpenEpochs(o.Title(), o.Keys); err == nil || len(ring.Epochs()) > 0 {
		t.Errorf("a wrap of another seed opens as epoch 2: %v", err)
	}
	if _, err := key.EpochFromSeed(o.Title(), 1, k.Seed()); err != nil {
		t.Error(err)
	}
}

// TestAgentFindsItsOwn: what is sealed to it as an agent, and nothing else.
func TestAgentFindsItsOwn(t *testing.T) {
	a, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[sealed.RecipientKind]bool{sealed.ToAgent: true, sealed.ToEpoch: false, sealed.ToPerson: false} {
		if k, ok := a.Find(kind, a.KEM.ID()); ok != want || ok && k != a.KEM {
			t.Errorf("its key as a recipient of kind %d: %v", kind, ok)
		}
		if _, ok := a.Find(kind, private(t).ID()); ok {
			t.Errorf("it finds another's key as one of kind %d", kind)
		}
	}
}

func TestAgentKeyFile(t *testing.T) {
	k, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "agent.key")
	if _, err := key.LoadAgent(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("load a file that is not there: %v", err)
	}
	if err := k.Save(path); err != nil {
		t.Fatal(err)
	}
	onlyForItsOwner(t, path)
	again, err := key.LoadAgent(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(k.Body(), again.Body()); diff != "" || !again.Signing.Equal(k.Signing) {
		t.Errorf("read again (-want +have):\n%s", diff)
	}
	if err := again.Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("save over it: %v, want %v", err, fs.ErrExist)
	}
	secret := base64.StdEncoding.EncodeToString(k.Signing.Seed())
	for name, content := range map[string]string{
		"no JSON":         `{"signing":"` + secret + `",`,
		"another version": `{"v":2,"signing":"` + secret + `"}`,
		"a short seed":    `{"v":1,"signing":"AAAA","kem":"` + secret + `"}`,
		"no KEM seed":     `{"v":1,"signing":"` + secret + `"}`,
		"a type of wrong": `{"v":1,"agent":"` + secret + `"}`,
	} {
		path := filepath.Join(t.TempDir(), "agent.key")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := key.LoadAgent(path); err == nil || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: %v, want an error without the secret in it", name, err)
		}
	}
}

func onlyForItsOwner(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %o, want 600", path, info.Mode().Perm())
	}
}

func TestHomeKeyFile(t *testing.T) {
	o, other := keytest.NewOwner(), keytest.NewOwner()
	o.Found()
	o.StartEpoch()
	other.Found()
	h := &key.Home{Title: o.Title(), Ring: o.Ring()}
	path := filepath.Join(t.TempDir(), "home.key")
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	onlyForItsOwner(t, path)
	again, err := key.LoadHome(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.Title.Head() != o.Title().Head() || !cmp.Equal(again.Ring.Epochs(), o.Ring().Epochs()) {
		t.Errorf("read again: head %s, epochs %v", again.Title.Head(), again.Ring.Epochs())
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m map[string]any){
		"of version 2":           func(m map[string]any) { m["v"] = 2 },
		"of no version":          func(m map[string]any) { delete(m, "v") },
		"of another home":        func(m map[string]any) { m["home"] = other.Home() },
		"with its deeds cut":     func(m map[string]any) { m["deeds"] = m["deeds"].([]any)[1:] },
		"without deeds":          func(m map[string]any) { delete(m, "deeds") },
		"with epochs exchanged":  func(m map[string]any) { m["epochs"].([]any)[0].(map[string]any)["epoch"] = 2 },
		"with an epoch too many": func(m map[string]any) { m["epochs"].([]any)[0].(map[string]any)["epoch"] = 9 },
		"with a short seed":      func(m map[string]any) { m["epochs"].([]any)[0].(map[string]any)["seed"] = "AAAA" },
	} {
		var m map[string]any
		if err := json.Unmarshal(written, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "home.key")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := key.LoadHome(path); err == nil {
			t.Errorf("a key file %s was read", name)
		}
	}
}

// TestSecretsDoNotPrint: a secret that ends up in a log is no secret.
func TestSecretsDoNotPrint(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	agent, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []any{private(t), o.Keys, *o.Keys, o.Ring(), agent, *agent, &key.Home{Title: o.Title(), Ring: o.Ring()}} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "keys", secret)
		if encoded := base64.StdEncoding.EncodeToString(o.Keys.Signing); strings.Contains(log.String(), encoded[:20]) {
			t.Errorf("a log of a %T has a key in it", secret)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
			s := fmt.Sprintf(verb, secret)
			for _, seed := range [][]byte{o.Keys.Signing.Seed(), o.Keys.KEM.Seed(), agent.Signing.Seed(), agent.KEM.Seed()} {
				for _, form := range []string{"%v", "%x", "%#v", "%d"} {
					if inner := strings.Trim(fmt.Sprintf(form, seed), "[]"); strings.Contains(s, inner) {
						t.Errorf("%s of a %T prints a seed", verb, secret)
					}
				}
			}
		}
	}
}
