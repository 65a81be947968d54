package deed_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// What a title says of people, rights and agents, read off drawings.

func fold(t *testing.T, drawing string) (*history, *deed.Title) {
	t.Helper()
	h := draw(t, drawing)
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	return h, title
}

// TestWhoSignsWhen: somebody's role is asked at a head, and a key that was taken back
// is nobody's from that deed on.
func TestWhoSignsWhen(t *testing.T) {
	//           0        1        2                     3             4                    5                 6
	h, title := fold(t, "found -> epoch -> invite anna resident -> admit anna -> change anna owner -> rekey anna with past 2 -> change anna guest -> dismiss anna")
	p := h.some("anna")
	first, now := p.former.Public().Signing[0].ID(), p.keys.Public().Signing[0].ID()
	role := func(k latchkey.KeyID, seq uint64) string {
		s, ok := title.SignerAt(k, seq)
		if !ok {
			return "-"
		}
		if s.ID != p.keys.Person {
			t.Errorf("at deed %d the key is another's", seq)
		}
		return s.Role.String()
	}
	var had, has []string
	for seq := range uint64(8) {
		had, has = append(had, role(first, seq)), append(has, role(now, seq))
	}
	if diff := cmp.Diff([]string{"-", "-", "-", "resident", "owner", "-", "-", "-"}, had); diff != "" {
		t.Errorf("the first key (-want +have):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"-", "-", "-", "-", "-", "owner", "guest", "-"}, has); diff != "" {
		t.Errorf("the second key (-want +have):\n%s", diff)
	}
	device, owners := p.keys.Public().Devices[0].Signing[0].ID(), h.owner.Public().Devices[0].Signing[0].ID()
	kem, _ := title.PersonKEM(p.keys.KEM.ID())
	former, _ := title.PersonKEM(p.former.KEM.ID())
	for what, is := range map[string]bool{
		"a former key is nobody's":                           !second(title.PersonBySigningKey(now)) && !title.InForce(now, 7),
		"a device of somebody gone is gone":                  !second(title.DeviceBySigningKey(device)) && !second(title.Device(p.keys.Device)),
		"a former device's key is remembered as a person's":  title.Personal(device) && !title.InForce(device, 7) && title.InForce(device, 6),
		"the owner's device stands":                          second(title.DeviceBySigningKey(owners)) && title.InForce(owners, 7),
		"somebody gone is in no list":                        !second(title.Person(p.keys.Person)) && len(title.Persons()) == 1,
		"a former KEM key is remembered with what they were": kem == deed.Guest && former == deed.Guest,
		"an epoch's key is nobody's":                         !second(title.PersonKEM(key0(title).ID())),
		"an agent's key is no person's":                      !title.Personal(key0(title).ID()),
	} {
		if !is {
			t.Error("it does not hold that " + what)
		}
	}
}

// TestWhoSees: rights are asked for a device, a camera, a kind and a moment.
func TestWhoSees(t *testing.T) {
	h, title := fold(t, house+" -> camera gate@hall -> camera shed@hall -> invite anna resident -> admit anna"+
		" -> invite gus guest{camera door; camera shed; clips; live; for 30 minutes} -> admit gus -> invite ina guest{thumbnails} -> admit ina"+
		" -> device old@anna -> strike old@anna -> release camera shed")
	const clip, thumbnail = latchkey.Clip, latchkey.Thumbnail
	for _, c := range []struct {
		who, device, camera string
		kind                latchkey.Kind
		minutes             latchkey.Time
		sees                bool
	}{
		{"anna", "browser", "gate", clip, 0, true},
		{"anna", "browser", "shed", clip, 99, true}, // what a camera recorded that has left
		{"anna", "browser", "moon", clip, 0, false},
		{"anna", "old", "gate", clip, 0, false},
		{"gus", "browser", "door", clip, 0, true},
		{"gus", "browser", "door", thumbnail, 0, false},
		{"gus", "browser", "gate", clip, 0, false},
		{"gus", "browser", "shed", clip, 0, false}, // covered no more
		{"gus", "browser", "door", clip, 31, false},
		{"gus", "browser", "door", latchkey.Kind(4), 0, false},
		{"ina", "browser", "gate", thumbnail, 99, true},
		{"ina", "browser", "gate", clip, 99, false},
		{"stranger", "browser", "gate", clip, 0, false},
	} {
		p := h.some(c.who)
		if sees := title.Sees(p.devices[c.device], p.keys.Person, h.camera(c.camera), c.kind, h.now+c.minutes*minute); sees != c.sees {
			t.Errorf("%s at %s sees the %s's %s in %d minutes: %v", c.who, c.device, c.camera, c.kind, c.minutes, sees)
		}
	}
	if title.Sees(h.some("gus").devices["browser"], h.some("anna").keys.Person, h.camera("gate"), clip, h.now) {
		t.Error("a guest's device asks in a resident's name")
	}
	gus := h.some("gus").keys.Person
	if !title.Covers(gus, h.camera("door"), deed.SeesLive, h.now) || title.Covers(gus, h.camera("door"), deed.SeesLive|deed.SeesFootage, h.now) {
		t.Error("live view and footage are not told apart")
	}
}

// TestASlowClockGivesNothing: rights that end are over once a deed says that it is
// later, whatever the clock of whoever asks says.
func TestASlowClockGivesNothing(t *testing.T) {
	h, title := fold(t, house+" -> invite gus guest{for 30 minutes} -> admit gus -> epoch{2 hours later}")
	p := h.some("gus")
	if title.Sees(p.devices["browser"], p.keys.Person, h.camera("door"), latchkey.Clip, 0) {
		t.Error("a clock that says 1970 lets a guest in whose rights have ended")
	}
	if title.LastTime() != h.now {
		t.Errorf("the newest deed is of %d, want %d", title.LastTime(), h.now)
	}
}

// TestWhoGetsAnEnvelope: guests and links get one for what was made since they came.
func TestWhoGetsAnEnvelope(t *testing.T) {
	//                                  4 invite    5 admit      6 invite                        7 admit      8 lend
	h, title := fold(t, house+" -> invite gus guest -> admit gus -> invite ina guest{for 30 minutes} -> admit ina -> lend link{thumbnails} -> invite anna resident -> admit anna")
	for _, c := range []struct {
		kind    latchkey.Kind
		head    uint64
		minutes latchkey.Time
		sure    bool
		want    string
	}{
		{latchkey.Thumbnail, 10, 0, true, "gus ina link"},
		{latchkey.Thumbnail, 7, 0, true, "gus ina"},
		{latchkey.Thumbnail, 4, 0, true, ""},
		{latchkey.Clip, 10, 0, true, "gus ina"},
		{latchkey.Clip, 10, 31, true, "gus"},
		{latchkey.Thumbnail, 10, 31, true, "gus link"},
		{latchkey.Thumbnail, 10, 61, true, "gus"},
		{latchkey.Thumbnail, 10, 0, false, "gus"},
	} {
		var want []deed.Person
		for _, name := range []string{"gus", "ina", "link"} {
			if p, ok := title.Person(h.some(name).keys.Person); ok && slices.Contains(strings.Fields(c.want), name) {
				want = append(want, p)
			}
		}
		have := title.Recipients(h.camera("door"), c.kind, c.head, h.now+c.minutes*minute, c.sure)
		slices.SortFunc(want, func(p, q deed.Person) int { return slices.Compare(p.ID[:], q.ID[:]) })
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%v: (-want +have):\n%s", c, diff)
		}
	}
}

// TestAgentsOfTheirTime: an agent's keys are asked at a head, and what they sign counts
// by the deed that took them back.
func TestAgentsOfTheirTime(t *testing.T) {
	//                          4               5                 6                            7                    8
	h, title := fold(t, house+" -> camera gate@hall -> agent garden -> camera pond@garden -> replace hall{last door 2.7} -> release agent garden{last pond 1.9} -> release camera gate")
	before, now, garden := h.agents["hall's former key"], h.agent("hall"), h.agent("garden")
	for _, c := range []struct {
		says              string
		key               latchkey.KeyID
		camera            string
		head              uint64
		incarnation, last uint64
		signs             bool
	}{
		{"the former key before it was taken back", before.KeyID(), "door", 6, 2, 7, true},
		{"an earlier incarnation", before.KeyID(), "door", 6, 1, 99, true},
		{"beyond the last sequence", before.KeyID(), "door", 6, 2, 8, false},
		{"beyond the last incarnation", before.KeyID(), "door", 6, 3, 1, false},
		{"a camera that has no last", before.KeyID(), "gate", 6, 9, 9, true},
		{"at the deed that took it back", before.KeyID(), "door", 7, 2, 7, false},
		{"the new key", now.KeyID(), "door", 9, 9, 9, true},
		{"the new key at an earlier head", now.KeyID(), "door", 2, 9, 9, true},
		{"a camera before it left", now.KeyID(), "gate", 8, 1, 1, true},
		{"a camera that has left", now.KeyID(), "gate", 9, 1, 1, false},
		{"an agent before it left", garden.KeyID(), "pond", 7, 1, 9, true},
		{"beyond its last", garden.KeyID(), "pond", 7, 1, 10, false},
		{"an agent that has left", garden.KeyID(), "pond", 8, 1, 9, false},
		{"another agent's camera", garden.KeyID(), "door", 7, 1, 1, false},
		{"no agent", key0(title).ID(), "door", 7, 1, 1, false},
	} {
		if signs := title.Signs(c.key, h.camera(c.camera), c.head, c.incarnation, c.last); signs != c.signs {
			t.Errorf("%s: %v", c.says, signs)
		}
	}
	kems := func(agents []deed.Agent) (ids []latchkey.KeyID) {
		for _, a := range agents {
			ids = append(ids, a.KEM.ID())
		}
		return ids
	}
	for seq, want := range map[uint64][]latchkey.KeyID{
		1: nil, 6: {before.KEM.ID(), garden.KEM.ID()}, 7: {now.KEM.ID(), garden.KEM.ID()}, 8: {now.KEM.ID()},
	} {
		if diff := cmp.Diff(want, kems(title.AgentsAt(seq))); diff != "" {
			t.Errorf("agents at deed %d (-want +have):\n%s", seq, diff)
		}
	}
	if all := title.AllAgents(); len(all) != 2 || all[1].Until != 8 || len(title.Agents()) != 1 || second(title.Agent(garden.Agent)) {
		t.Errorf("agents that left: %v", all)
	}
	if all := title.AllCameras(); len(all) != 3 || all[1].Until != 9 || all[2].Until != 8 || len(title.Cameras()) != 1 {
		t.Errorf("cameras that left: %v", all)
	}
	if c, ok := title.AnyCamera(h.camera("pond")); !ok || c.Agent != garden.Agent || second(title.Camera(h.camera("pond"))) {
		t.Errorf("a camera that left: %v, %v", c, ok)
	}
	if a, ok := title.AgentByKey(before.KeyID()); !ok || a.ID != now.Agent || a.KEM.ID() != before.KEM.ID() {
		t.Errorf("the agent by its former key: %v, %v", a, ok)
	}
}

// TestWhatElseATitleSays is the rest: invitations, pasts, freeze, retention, hand-over.
func TestWhatElseATitleSays(t *testing.T) {
	h, title := fold(t, "found -> epoch -> epoch -> invite anna resident -> admit anna with past 2 -> invite bob guest{clips} -> invite anna to recover -> freeze -> retain 30 1000")
	p := h.some("anna").keys
	var has []bool
	for e := range latchkey.Epoch(5) {
		has = append(has, title.Has(p.Person, e))
	}
	if diff := cmp.Diff([]bool{false, false, true, true, false}, has); diff != "" {
		t.Errorf("epochs that anna has, from 0 (-want +have):\n%s", diff)
	}
	if pasts := title.PastsOf(p.KEM.ID()); len(pasts) != 1 || pasts[0].From != 2 || pasts[0].Last != 2 {
		t.Errorf("pasts: %v", pasts)
	}
	open := title.Invites()
	if len(open) != 2 || open[0].Purpose != deed.Join || open[0].Standing.Rights.Kinds != deed.SeesClips || open[1].Person != p.Person {
		t.Errorf("open invitations: %v", open)
	}
	if days, most := title.Retention(); !title.Frozen() || days != 30 || most != 1000 || title.HandedOver() != 0 {
		t.Errorf("frozen %v, kept for %d days up to %d bytes", title.Frozen(), days, most)
	}
	h.add("invite eve to hand over", nil)
	h.add("hand over eve", nil)
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	if title.Frozen() || title.HandedOver() != title.Head().Seq || len(title.Invites()) != 0 || len(title.Persons()) != 1 || title.Has(p.Person, 2) {
		t.Error("something is left of those who lived there")
	}
}

func TestAnswerBytes(t *testing.T) {
	h := draw(t, "found")
	body, _ := h.body("epoch")
	turn, ok := body.(deed.EpochBody)
	if !ok {
		t.Fatal("no epoch")
	}
	signature := bytes.Repeat([]byte{7}, 64)
	for _, answer := range []deed.Answer{{Person: h.owner.Public(), Signature: signature}, {Person: h.owner.Public(), Signature: signature, Turn: &turn}} {
		b := answer.Bytes()
		got, err := deed.ParseAnswer(b)
		if d := cmp.Diff(answer, got); d != "" || err != nil {
			t.Errorf("(-made +parsed) %v:\n%s", err, d)
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(slices.Clone(b), 0)} {
			if _, err := deed.ParseAnswer(bad); deed.ReasonOf(err) != deed.Malformed {
				t.Errorf("%d of %d bytes: %v, want %s", len(bad), len(b), err, deed.Malformed)
			}
		}
	}
}
