package api_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
)

// invited is what an invitation comes to for fixed inputs. The app reads it too.
type invited struct {
	Secret       string   `json:"secret"`
	Slot         string   `json:"slot"`
	ProofKey     []byte   `json:"proof_key"`
	Reveal       []byte   `json:"reveal"`
	Commitment   []byte   `json:"commitment"`
	Announcement []byte   `json:"announcement"`
	Answer       []byte   `json:"answer"`
	Phrase       []string `json:"phrase"`
}

var (
	inviteSecret = api.InviteSecret(bytes.Repeat([]byte{21}, 16))
	reveal       = [api.RevealSize]byte{22, 23, 24}
	invitee      = deed.Person{
		ID: latchkey.PersonID{25}, Signing: keys, KEM: body.KEM,
		Devices: []deed.Device{{ID: latchkey.DeviceID{26}, Person: latchkey.PersonID{25}, Signing: keys}},
	}
)

func invitation() api.Invitation {
	return api.Invitation{
		Home: home, Head: head, Expires: latchkey.TimeOf(now.Add(time.Hour)), Invite: latchkey.InviteID{27},
		Commitment: api.Commit(reveal), Greeting: bytes.Repeat([]byte{28}, 60),
	}
}

func madeInvited() invited {
	commitment := api.Commit(reveal)
	answer := inviteSecret.Accept(invitation(), invitee, nil)
	return invited{
		Secret: inviteSecret.Text(), Slot: inviteSecret.Slot().String(),
		ProofKey: inviteSecret.Proof().Public().(ed25519.PublicKey),
		Reveal:   reveal[:], Commitment: commitment[:], Announcement: inviteSecret.Announce(invitation()),
		Answer: answer, Phrase: api.Phrase(reveal, answer),
	}
}

func readInvited(t testing.TB) (v invited) {
	t.Helper()
	b, err := os.ReadFile("testdata/invite.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestInviteVectors(t *testing.T) {
	want := madeInvited()
	if *update {
		b := must(json.MarshalIndent(want, "", "\t"))
		if err := os.WriteFile("testdata/invite.json", append(b, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(readInvited(t), want); d != "" {
		t.Errorf("the formats have changed (-kept +now):\n%s", d)
	}
}

func TestInvitationIsTheSecrets(t *testing.T) {
	b := inviteSecret.Announce(invitation())
	got, err := inviteSecret.CheckInvitation(b, now)
	if d := cmp.Diff(invitation(), got); d != "" || err != nil {
		t.Fatalf("(-made +read) %v:\n%s", err, d)
	}
	for i := range b {
		altered := bytes.Clone(b)
		altered[i] ^= 1
		if _, err := inviteSecret.CheckInvitation(altered, now); !errors.Is(err, api.ErrProof) && !errors.Is(err, api.ErrMalformed) {
			t.Fatalf("with byte %d altered: %v", i, err)
		}
	}
	if _, err := api.NewInviteSecret().CheckInvitation(b, now); !errors.Is(err, api.ErrProof) {
		t.Errorf("by another secret: %v", err)
	}
	if _, err := inviteSecret.CheckInvitation(b, now.Add(2*time.Hour)); !errors.Is(err, api.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
}

func TestAcceptanceProvesTheSecret(t *testing.T) {
	b := inviteSecret.Accept(invitation(), invitee, nil)
	a, err := api.ParseAcceptance(b)
	if d := cmp.Diff(invitee, a.Person); d != "" || err != nil {
		t.Fatalf("%v (-accepted +parsed)\n%s", err, d)
	}
	proof := deed.Ed25519Key(inviteSecret.Proof().Public().(ed25519.PublicKey))
	if !proof.Verify(deed.ProofMessage(home, invitation().Invite, a.Person), a.Signature) {
		t.Error("the proof does not verify")
	}
	if proof.Verify(deed.ProofMessage(latchkey.HomeID{1}, invitation().Invite, a.Person), a.Signature) {
		t.Error("the proof verifies for another home")
	}
}

// TestPhraseNoticesAnother: whoever answers in another's place, or is shown another
// reveal, has other words.
func TestPhraseNoticesAnother(t *testing.T) {
	answer := inviteSecret.Accept(invitation(), invitee, nil)
	other := invitee
	other.ID = latchkey.PersonID{1}
	phrases := [][]string{
		api.Phrase(reveal, answer),
		api.Phrase(reveal, inviteSecret.Accept(invitation(), other, nil)),
		api.Phrase([api.RevealSize]byte{1}, answer),
	}
	for i, p := range phrases {
		if len(p) != api.PhraseWords {
			t.Errorf("%d words: %q", len(p), p)
		}
		for _, q := range phrases[:i] {
			if cmp.Equal(p, q) {
				t.Errorf("the same words twice: %q", p)
			}
		}
	}
}

func FuzzParseInvitation(f *testing.F) {
	seeds(f, readInvited(f).Announcement)
	f.Fuzz(func(t *testing.T, p []byte) {
		i, err := api.ParseInvitation(p)
		if err != nil {
			refused(t, err)
			return
		}
		if again := inviteSecret.Announce(i); !bytes.Equal(again[:len(again)-32], p[:len(p)-32]) {
			t.Fatal("it is written back otherwise")
		}
	})
}

func FuzzParseAcceptance(f *testing.F) {
	seeds(f, readInvited(f).Answer)
	f.Fuzz(func(t *testing.T, p []byte) {
		a, err := api.ParseAcceptance(p)
		if err != nil {
			refused(t, err)
			return
		}
		if !bytes.Equal(a.Bytes(), p) {
			t.Fatal("it is written back otherwise")
		}
	})
}
