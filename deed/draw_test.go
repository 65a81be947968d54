package deed_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
)

// A history is drawn as its deeds with arrows between them:
//
//	found -> epoch -> agent hall -> camera door@hall -> epoch{by stranger}
//
// Each deed is made as an honest person would make it, but for what stands in braces
// (commas or semicolons between several). What can stand there is in the tables below
// and in draw_people_test.go. People, agents, cameras and keys have names; the same
// name is the same one. The owner signs unless the braces name somebody else.
type history struct {
	t       testing.TB
	owner   *key.PersonKeys
	other   *key.PersonKeys // of another home
	people  map[string]*someone
	invites map[string]*invitation
	agents  map[string]*key.AgentKeys
	cameras map[string]latchkey.CameraID
	epochs  latchkey.Epoch
	deeds   [][]byte
	now     latchkey.Time
}

func draw(t testing.TB, drawing string) *history {
	t.Helper()
	h := &history{
		t: t, agents: map[string]*key.AgentKeys{}, cameras: map[string]latchkey.CameraID{},
		people: map[string]*someone{}, invites: map[string]*invitation{},
		now: latchkey.TimeOf(time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
	h.owner, h.other = h.person(), h.person()
	h.people["owner"] = &someone{keys: h.owner, role: deed.Owner, devices: map[string]latchkey.DeviceID{"browser": h.owner.Device}}
	for step := range strings.SplitSeq(drawing, "->") {
		what, rest, _ := strings.Cut(step, "{")
		var but []string
		for _, b := range strings.FieldsFunc(strings.TrimSuffix(strings.TrimSpace(rest), "}"), func(r rune) bool { return r == ',' || r == ';' }) {
			but = append(but, strings.TrimSpace(b))
		}
		h.add(strings.TrimSpace(what), but)
	}
	return h
}

func (h *history) person() *key.PersonKeys {
	k, err := key.NewPersonKeys()
	h.must(err)
	return k
}

func (h *history) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) agent(name string) *key.AgentKeys {
	if h.agents[name] == nil {
		k, err := key.NewAgentKeys()
		h.must(err)
		h.agents[name] = k
	}
	return h.agents[name]
}

func (h *history) camera(name string) latchkey.CameraID {
	if _, ok := h.cameras[name]; !ok {
		h.cameras[name] = latchkey.NewCameraID()
	}
	return h.cameras[name]
}

// body makes the honest statement of a step, and says who signs it.
func (h *history) body(what string) (deed.Body, ed25519.PrivateKey) {
	verb, name, _ := strings.Cut(what, " ")
	switch verb {
	case "found":
		return h.owner.Found(), h.owner.Signing
	case "epoch":
		return *h.turn(), h.owner.Signing
	case "agent":
		return h.agent(name).Body(), h.owner.Signing
	case "camera":
		camera, agent, _ := strings.Cut(name, "@")
		return deed.CameraBody{Camera: h.camera(camera), Agent: h.agent(agent).Agent}, h.owner.Signing
	}
	if b := h.placeBody(verb, strings.Fields(name)); b != nil {
		return b, h.owner.Signing
	}
	return h.peopleBody(verb, strings.Fields(name))
}

// placeBody makes the other statements about agents, cameras and the home.
func (h *history) placeBody(verb string, args []string) deed.Body {
	switch verb {
	case "replace":
		keys, err := key.NewAgentKeys()
		h.must(err)
		keys.Agent = h.agent(args[0]).Agent
		h.agents[args[0]+"'s former key"], h.agents[args[0]] = h.agents[args[0]], keys
		return deed.ReplaceAgentBody{AgentBody: keys.Body()}
	case "release":
		if args[0] == "camera" {
			return deed.ReleaseCameraBody{Camera: h.camera(args[1])}
		}
		return deed.ReleaseAgentBody{Agent: h.agent(args[1]).Agent}
	case "freeze":
		return deed.FreezeBody{}
	case "thaw":
		return deed.ThawBody{}
	case "retain":
		var b deed.RetainBody
		_, err := fmt.Sscan(strings.Join(args, " "), &b.Days, &b.Bytes)
		h.must(err)
		return b
	}
	return nil
}

// turn makes the next epoch, for those who see the whole home.
func (h *history) turn() *deed.EpochBody {
	k, err := key.NewPrivate()
	h.must(err)
	h.epochs++
	b := &deed.EpochBody{Number: h.epochs, Key: k.Public()}
	for _, p := range h.people {
		if p.role.SeesAll() {
			b.Wraps = append(b.Wraps, wrapFor(p.keys))
		}
	}
	slices.SortFunc(b.Wraps, byPerson)
	return b
}

// wrapFor is as long as a wrap; the fold cannot see into one.
func wrapFor(p *key.PersonKeys) deed.Wrap {
	return deed.Wrap{Person: p.Person, Key: p.KEM.ID(), Sealed: bytes.Repeat([]byte("wrap"), 1168/4)}
}

func byPerson(v, w deed.Wrap) int { return bytes.Compare(v.Person[:], w.Person[:]) }

// add signs a step onto the last one, with its exceptions.
func (h *history) add(what string, but []string) {
	h.now += tick
	for _, b := range but {
		h.now += later[b]
	}
	d := deed.Deed{Time: h.now}
	if n := len(h.deeds); n > 0 {
		d.Seq, d.Home, d.Prev = uint64(n), deed.Hash(h.deeds[0]), deed.Hash(h.deeds[n-1])
	}
	var signer ed25519.PrivateKey
	d.Body, signer = h.body(what)
	for _, b := range but {
		switch by, isBy := strings.CutPrefix(b, "by "); {
		case isBy:
			signer = h.signer(by)
		case h.fields(b, &d) || h.bodies(b, &d):
		}
	}
	h.prove(&d, but)
	d.Signer = deed.Ed25519Key(signer.Public().(ed25519.PublicKey)).ID()
	if slices.Contains(but, "naming the owner") {
		d.Signer = deed.Ed25519Key(h.owner.Signing.Public().(ed25519.PublicKey)).ID()
	}
	raw := sign(&d, signer, but)
	for _, b := range but {
		raw = h.raw(b, raw)
	}
	h.deeds = append(h.deeds, raw)
}

// later is how much time passes before a step.
var later = map[string]latchkey.Time{"31 minutes later": 31 * minute, "2 hours later": 120 * minute}

// sign signs a statement as it is, after the exceptions that are within what is signed
// and that no honest program could write.
func sign(d *deed.Deed, signer ed25519.PrivateKey, but []string) []byte {
	d.Signatures = nil
	unsigned := d.Bytes()
	statement := unsigned[:len(unsigned)-1] // without the number of signatures
	for _, b := range but {
		switch b {
		case "version 2":
			statement[0] = 2
		case "version 0":
			statement[0] = 0
		case "type 9":
			statement[1] = 9
		case "a number above 2^53":
			binary.BigEndian.PutUint64(statement[34:], 1<<53)
		case "a byte more in the body":
			statement = append(statement, 0)
			binary.BigEndian.PutUint32(statement[bodyLength:], uint32(len(statement)-bodyLength-4))
		case "a byte less in the body":
			statement = statement[:len(statement)-1]
			binary.BigEndian.PutUint32(statement[bodyLength:], uint32(len(statement)-bodyLength-4))
		}
	}
	signature := ed25519.Sign(signer, append([]byte("latchkey deed v1\x00"), statement...))
	signed := binary.BigEndian.AppendUint16(append(statement, 1), uint16(len(signature)))
	return append(signed, signature...)
}

const (
	tick   = 1_000_000 // between two deeds
	minute = 60 * tick
)

const bodyLength = 1 + 1 + 32 + 8 + 32 + 8 + 32 // where the length of the body stands

// signer is the key of whoever a drawing names.
func (h *history) signer(by string) ed25519.PrivateKey {
	switch what, name, _ := strings.Cut(by, " "); {
	case by == "stranger":
		return h.other.Signing
	case by == "device":
		return h.owner.DeviceSigning
	case what == "agent":
		return h.agent(name).Signing
	case what == "invitation":
		return h.invites[name].link
	case strings.HasSuffix(by, "'s former key"):
		return h.some(strings.TrimSuffix(by, "'s former key")).former.Signing
	}
	return h.some(by).keys.Signing
}

// fields makes an exception in what goes around a statement.
func (h *history) fields(but string, d *deed.Deed) bool {
	switch but {
	case "of another home":
		d.Home = latchkey.HomeID{1}
	case "of no home":
		d.Home = latchkey.HomeID{}
	case "two further":
		d.Seq += 2
	case "one lower":
		d.Seq--
	case "after another":
		d.Prev[0] ^= 1
	case "6 minutes early":
		d.Time -= 6 * minute
	case "4 minutes early":
		d.Time -= 4 * minute
	default:
		return false
	}
	return true
}

// bodies makes an exception in a statement.
func (h *history) bodies(but string, d *deed.Deed) bool {
	what, name, _ := strings.Cut(but, " ")
	switch b := d.Body.(type) {
	case deed.FoundBody:
		switch but {
		case "min_version 2":
			b.MinVersion = 2
		case "min_version 0":
			b.MinVersion = 0
		case "one key for person and device":
			b.Person.Devices[0].Signing = b.Person.Signing
		}
		d.Body = b
	case deed.EpochBody:
		d.Body = h.epochBody(but, b)
	case deed.CameraBody:
		if what == "again" {
			b.Camera = h.camera(name)
		}
		d.Body = b
	case deed.ReplaceAgentBody:
		switch what {
		case "last":
			b.Lasts = append(b.Lasts, h.last(name))
		case "signs-with":
			b.Signing = h.agent(name).Body().Signing
		}
		d.Body = b
	case deed.ReleaseAgentBody:
		switch {
		case what == "last":
			b.Lasts = append(b.Lasts, h.last(name))
		case but == "257 lasts":
			b.Lasts = make([]deed.Last, 257)
		}
		d.Body = b
	case deed.AgentBody:
		switch {
		case what == "signs-with":
			b.Signing = h.agent(name).Body().Signing
		case what == "sealed-to":
			b.KEM = h.agent(name).KEM.Public()
		case but == "signs with ML-DSA":
			b.Signing[0].Algorithm = 3
		case but == "signs with X-Wing":
			b.Signing = []deed.Key{b.KEM}
		case but == "short key":
			b.KEM.Bytes = b.KEM.Bytes[1:]
		case but == "two signing keys":
			b.Signing = append(b.Signing, h.agent("second").Body().Signing...)
		}
		d.Body = b
	default:
		h.peopleBut(but, d)
	}
	return true
}

func (h *history) epochBody(but string, b deed.EpochBody) deed.EpochBody {
	switch what, name, _ := strings.Cut(but, " for "); {
	case what == "no wrap":
		b.Wraps = slices.DeleteFunc(b.Wraps, func(w deed.Wrap) bool { return w.Person == h.some(name).keys.Person })
		return b
	case what == "a wrap":
		b.Wraps = append(b.Wraps, wrapFor(h.some(name).keys))
		slices.SortFunc(b.Wraps, byPerson)
		return b
	}
	switch but {
	case "numbered one higher":
		b.Number++
	case "numbered as the last":
		b.Number--
	case "wrapped for nobody":
		b.Wraps = nil
	case "wrapped twice":
		b.Wraps = append(b.Wraps, b.Wraps[0])
	case "wrapped for a stranger":
		b.Wraps[0].Person = h.other.Person
	case "wrapped under a stranger's key":
		b.Wraps[0].Key = h.other.KEM.ID()
	case "a short wrap":
		b.Wraps[0].Sealed = b.Wraps[0].Sealed[1:]
	case "65 wraps":
		b.Wraps = slices.Repeat(b.Wraps, 65)
	case "the owner's key":
		b.Key = h.owner.KEM.Public()
	}
	return b
}

// raw makes an exception in the bytes of a deed, after it was signed.
func (h *history) raw(but string, b []byte) []byte {
	last := len(b) - 1
	switch but {
	case "signature altered":
		b[last] ^= 1
	case "body altered":
		b[bodyLength+4] ^= 1
	case "time altered":
		b[1+1+32+8+32+7] ^= 1
	case "without its last byte":
		b = b[:last]
	case "with a byte more":
		b = append(b, 0)
	case "without signature":
		b = append(b[:len(b)-1-2-64], 0)
	case "signed twice":
		signature := bytes.Clone(b[len(b)-2-64:])
		b[len(b)-1-2-64] = 2
		b = append(b, signature...)
	case "short signature":
		b = b[:last]
		b[len(b)-2-63+1] = 63
	case "empty":
		b = nil
	case "128 KiB and a byte":
		b = append(b, make([]byte, deed.MaxDeed+1-len(b))...)
	case "said again":
		b = h.deeds[len(h.deeds)-1]
	}
	return b
}
