package sealed_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// pageExample reads the block of "name  hex" lines below "## Example" of a page.
func pageExample(t *testing.T, page string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n## Example\n")
	_, rest, ok2 := strings.Cut(rest, "\n```\n")
	block, _, ok3 := strings.Cut(rest, "\n```\n")
	if !ok || !ok2 || !ok3 {
		t.Fatalf("%s has no example", page)
	}
	values := map[string]string{}
	for line := range strings.Lines(block) {
		at := strings.LastIndexByte(strings.TrimSpace(line), ' ')
		values[strings.TrimSpace(line[:at])] = strings.TrimSpace(line[at:])
	}
	return values
}

// TestExampleOfThePage computes what docs/seal.md gives as its example, step by step.
func TestExampleOfThePage(t *testing.T) {
	all, _ := readVectors(t)
	h := keytest.ReadHomes(homesFile)["A"]
	for _, v := range all {
		if v.Name != "go/thumbnail" {
			continue
		}
		r := bytes.NewReader(v.File)
		f, err := sealed.ReadFile(r)
		if err != nil {
			t.Fatal(err)
		}
		body := v.File[len(v.File)-r.Len():]
		b, e := f.Header.Binding, f.Envelopes[0]
		private, ok := h.Ring().Find(e.Recipient, e.Key)
		if !ok {
			t.Fatal("the example is for a key that is not there")
		}
		objectKey, err := private.Open(sealed.EnvelopeInfo(b, e.Recipient, e.Key, e.Epoch), e.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		info := "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + string(body[:24]) + string(b.Bytes())
		derived, err := hkdf.Expand(sha512.New, objectKey, info, 76)
		if err != nil {
			t.Fatal(err)
		}
		message := sha256.Sum256(f.Header.SignedMessage())
		bindingHash, infoHash := b.Hash(), sha256.Sum256(sealed.EnvelopeInfo(b, e.Recipient, e.Key, e.Epoch))
		want := map[string]string{}
		for name, value := range map[string][]byte{
			"SHA-256(B)": bindingHash[:], "SHA-256(info of the envelope)": infoHash[:], "object key": objectKey,
			"salt": body[:24], "key": derived[:32], "base nonce": derived[32:44], "commitment": body[24:56],
			"chunk 0": body[56:], "SHA-256(body)": f.Header.BodyHash[:], "SHA-256(what is signed)": message[:],
		} {
			want[name] = hex.EncodeToString(value)
		}
		if diff := cmp.Diff(want, pageExample(t, "../docs/seal.md")); diff != "" {
			t.Errorf("the example of docs/seal.md (-computed +page):\n%s", diff)
		}
		return
	}
	t.Fatal("the vector of the example is gone")
}

// TestExampleOfDeeds is the same for docs/deed.md.
func TestExampleOfDeeds(t *testing.T) {
	h := keytest.ReadHomes(homesFile)["A"]
	found, head := deed.Hash(h.Deeds[0]), h.Title().Head()
	owner, agent := h.Title().Persons()[0], h.Title().Agents()[0]
	epoch, _ := h.Title().EpochKey(2)
	ids := map[string][32]byte{
		"key ID of the owner's signing key": owner.Signing[0].ID(), "key ID of the owner's KEM key": owner.KEM.ID(),
		"key ID of the device's signing key": owner.Devices[0].Signing[0].ID(), "key ID of epoch 2": epoch.ID(),
		"key ID of agent 0's signing key": agent.Signing[0].ID(), "SHA-256 of deed 0, the home": found, "SHA-256 of deed 7, the head": head.Hash,
	}
	want := map[string]string{}
	for name, id := range ids {
		want[name] = hex.EncodeToString(id[:])
	}
	if diff := cmp.Diff(want, pageExample(t, "../docs/deed.md")); diff != "" {
		t.Errorf("the example of docs/deed.md (-computed +page):\n%s", diff)
	}
}
