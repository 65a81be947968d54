package agent_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// loot is what was found in a server's files and in recorded traffic, whatever it lay in.
type loot struct {
	objects   map[latchkey.ObjectID]sealed.Header
	bodies    map[latchkey.ObjectID][]byte
	envelopes map[string]sealed.Envelope // by their bytes
	letters   map[latchkey.LetterID]sealed.Letter
}

// loot takes all that the home's server has on its disk and all that passed on a line.
func (h *house) loot(l *line) *loot {
	h.t.Helper()
	k := &loot{map[latchkey.ObjectID]sealed.Header{}, map[latchkey.ObjectID][]byte{}, map[string]sealed.Envelope{}, map[latchkey.LetterID]sealed.Letter{}}
	err := filepath.WalkDir(h.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		k.search(b)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.heard {
		k.search(b)
		k.search(unmasked(b))
	}
	return k
}

// search finds what there is in some bytes: object files, envelopes wherever they stand,
// and letters in messages.
func (k *loot) search(b []byte) {
	magic := []byte("latchkey object 1\n")
	for rest := b; ; {
		i := bytes.Index(rest, magic)
		if i < 0 {
			break
		}
		file := bytes.NewReader(rest[i:])
		rest = rest[i+len(magic):]
		f, err := sealed.ReadFile(file)
		if err != nil {
			continue
		}
		id := f.Header.Binding.Object
		k.objects[id] = f.Header
		if n := int(f.Header.BodyLength); n <= file.Len() {
			body := make([]byte, n)
			file.Read(body)
			k.bodies[id] = body
		}
	}
	const size = 1 + 1 + 32 + 8 + 2 + sealed.SealedKeySize
	for i := 0; i+size <= len(b); i++ {
		if b[i] != sealed.EnvelopeVersion || binary.BigEndian.Uint16(b[i+42:]) != sealed.SealedKeySize {
			continue
		}
		if e, err := sealed.ParseEnvelope(b[i : i+size]); err == nil {
			k.envelopes[string(b[i:i+size])] = e
		}
	}
	for _, m := range regexp.MustCompile(`"letter":"([^"]+)"`).FindAllSubmatch(b, -1) {
		letter, err := base64.StdEncoding.DecodeString(string(m[1]))
		if err != nil {
			continue
		}
		if l, err := sealed.ParseLetter(letter); err == nil {
			k.letters[l.ID] = l
		}
	}
}

// unmasked is what a client says over a websocket, which masks every message.
func unmasked(b []byte) (all []byte) {
	_, b, ok := bytes.Cut(b, []byte("GET /v1/agent HTTP/1.1\r\n"))
	if _, b, _ = bytes.Cut(b, []byte("\r\n\r\n")); !ok {
		return nil
	}
	for len(b) >= 14 {
		n, head := int(b[1]&0x7f), 2
		switch n {
		case 126:
			n, head = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			n, head = int(binary.BigEndian.Uint64(b[2:])), 10
		}
		mask, payload := b[head:head+4], b[head+4:]
		if n > len(payload) {
			break
		}
		for i, c := range payload[:n] {
			all = append(all, c^mask[i%4])
		}
		b = payload[n:]
	}
	return all
}

// opens are the objects, and how many letters, that one of the keys opens. No rule of an
// honest reader is asked: every key is tried on every envelope for every object.
func (k *loot) opens(keys []*key.Private) (objects []latchkey.ObjectID, letters map[latchkey.Epoch]int) {
	for id, h := range k.objects {
		b := h.Binding
		if slices.ContainsFunc(slices.Collect(maps.Values(k.envelopes)), func(e sealed.Envelope) bool {
			return anyOpens(keys, sealed.EnvelopeInfo(b, e.Recipient, e.Key, e.Epoch), e.Sealed, k.bodies[id], b.Bytes())
		}) {
			objects = append(objects, id)
		}
	}
	letters = map[latchkey.Epoch]int{}
	for _, l := range k.letters {
		r := l.Recipients[0]
		if anyOpens(keys, l.KeyInfo(r.Recipient, r.Key, r.Epoch), r.Sealed, l.Body, l.Context()) {
			letters[r.Epoch]++
		}
	}
	slices.SortFunc(objects, func(a, b latchkey.ObjectID) int { return slices.Compare(a[:], b[:]) })
	return objects, letters
}

func anyOpens(keys []*key.Private, info, sealedKey, body, context []byte) bool {
	return slices.ContainsFunc(keys, func(k *key.Private) bool {
		objectKey, err := k.Open(info, sealedKey)
		if err != nil {
			return false
		}
		_, err = cobblestone.Open(objectKey, context, body)
		return err == nil
	})
}

// keysOf are all that somebody ever had: their own, and whatever epochs those open in the
// chain as it was at any deed.
func keysOf(t *testing.T, last *deed.Title, own *key.PersonKeys) []*key.Private {
	t.Helper()
	keys := map[latchkey.KeyID]*key.Private{own.KEM.ID(): own.KEM}
	for n := range last.Head().Seq + 1 {
		title, err := deed.Start(last.Deeds(0)[:n+1]...)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := key.OpenEpochs(title, own)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range ring.Epochs() {
			k, _ := ring.Epoch(e)
			keys[k.ID()] = k
		}
	}
	return slices.Collect(maps.Values(keys))
}

// TestOfflineRemoval: an agent records while no server can be reached; a resident and a
// guest are removed meanwhile; then it comes back and uploads. With the server's whole
// disk, all traffic and all keys that they ever had, neither opens anything of it. Who is
// in the home opens all.
func TestOfflineRemoval(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
	l.listen()
	a, o, _ := h.placed(agent.Config{HTTP: l.client()})
	camera := h.owner.Title().Cameras()[0].ID
	anna, _ := h.join(keytest.AsResident)
	gus, _ := h.join(keytest.AsGuest(camera))
	stays, _ := h.join(keytest.AsGuest(camera))
	h.until("the agent knows them", func() bool { return a.Status().Head == h.owner.Title().Head().String() })
	record := func(n int) {
		for range n {
			if err := o.one(); err != nil {
				t.Fatal(err)
			}
		}
	}
	record(1)
	h.arrived(a, o)
	h.until("it has said how it is, for them too", func() bool {
		_, _, _, err := h.owner.condition(h.ctx, a.Status().Agent)
		return err == nil
	})
	had := h.loot(l)
	before, _ := had.opens(keysOf(t, h.owner.Title(), h.owner.Keys))
	if len(before) != 3 {
		t.Fatalf("%d objects were found of the time before", len(before))
	}

	l.is(quality{portal: true})
	l.cut()
	h.until("it has no connection", func() bool { return a.Status().Uplink.State == uplink.Waiting })
	record(2)
	since := h.owner.Title().Head()
	epoch := h.owner.Title().Epoch() + 1
	h.owner.Dismiss(anna)
	h.owner.Dismiss(gus)
	if err := h.owner.publish(h.ctx, since); err != nil {
		t.Fatal(err)
	}
	record(1)
	if s := a.Status(); s.Spool.Objects != 9 {
		t.Fatalf("%d objects wait, want 9", s.Spool.Objects)
	}
	l.is(quality{})
	h.arrived(a, o) // the owner opens all, as a page does

	k := h.loot(l)
	title := h.owner.Title()
	everything, conditions := k.opens(keysOf(t, title, h.owner.Keys))
	if len(everything) != 12 || conditions[epoch] == 0 || conditions[epoch-1] == 0 {
		t.Errorf("the owner's keys open %d objects and conditions %v of what was found", len(everything), conditions)
	}
	for who, c := range map[string]struct {
		keys       *key.PersonKeys
		objects    []latchkey.ObjectID
		conditions bool // of the time before
	}{
		"the resident who was removed": {anna.Keys, before, true},
		"the guest who was removed":    {gus.Keys, before, false},
		"the guest who stays":          {stays.Keys, everything, false},
	} {
		objects, letters := k.opens(keysOf(t, title, c.keys))
		if diff := cmp.Diff(c.objects, objects); diff != "" {
			t.Errorf("%s opens what was not for them, or not what was (-want +got):\n%s", who, diff)
		}
		if letters[epoch] != 0 || (letters[epoch-1] != 0) != c.conditions {
			t.Errorf("%s opens conditions %v, and epoch %d began with the removal", who, letters, epoch)
		}
	}
}

// TestOfflineRemovalNotices is the control: an agent that wraps for those of the time at
// which it recorded too gives them what is not theirs.
func TestOfflineRemovalNotices(t *testing.T) {
	control(t, "TestOfflineRemoval", "the resident who was removed opens what was not for them", sabotage.Cut{
		File: "agent/uplink/put.go", Old: "	all := []sealed.Envelope{e}\n",
		New: "	then := t.EpochAt(b.Head.Seq)\n	past, _ := t.EpochKey(then)\n	was, err := seal.Wrap(o.Key, b, sealed.ToEpoch, past, then)\n	if err != nil {\n		return nil, err\n	}\n	all := []sealed.Envelope{e, was}\n",
	})
}
