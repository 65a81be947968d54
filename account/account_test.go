package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/vault"
)

func TestKinds(t *testing.T) {
	const p, w, r = account.Passkey, account.Passphrase, account.RecoveryCode
	for _, c := range []struct {
		kinds []account.Kind
		want  account.Reason
	}{
		{[]account.Kind{w, r}, ""},
		{[]account.Kind{p, r}, ""},
		{[]account.Kind{w, p, p, r}, ""},
		{append(repeat(p, 15), r), ""},
		{nil, account.LastUnlockers},
		{[]account.Kind{w}, account.LastUnlockers},
		{[]account.Kind{p}, account.LastUnlockers},
		{[]account.Kind{p, p, p}, account.LastUnlockers},
		{[]account.Kind{w, w}, account.Malformed},
		{[]account.Kind{p, r, r}, account.Malformed},
		{append(repeat(p, 16), r), account.TooMany},
	} {
		if got := account.ReasonOf(account.CheckKinds(c.kinds)); got != c.want {
			t.Errorf("unlockers of kinds %v: %q, want %q", c.kinds, got, c.want)
		}
	}
}

func repeat(k account.Kind, n int) (all []account.Kind) {
	for range n {
		all = append(all, k)
	}
	return all
}

func TestAddresses(t *testing.T) {
	for _, s := range []string{"a@b", "ada@example.org", "Ada.Lovelace+cam@Example.Org", " ada@example.org\n", "o'brien@mail.example.org", "x@xn--bcher-kva.example"} {
		if a, err := account.ParseAddress(s); err != nil || string(a) != strings.ToLower(strings.TrimSpace(s)) {
			t.Errorf("address %q: %q, %v", s, a, err)
		}
	}
	for _, s := range []string{
		"", "@", "ada", "ada@", "@example.org", "ada@example.org@example.org", "ada lovelace@example.org", "ada@exa mple.org",
		"ada@example.org\r\nBcc: bob@example.org", "ada@example.org,bob@example.org", "<ada@example.org>", "\"ada\"@example.org", "ada@[127.0.0.1]",
		".ada@example.org", "ada.@example.org", "a..b@example.org", "ada@.org", "ada@example.", "ädä@example.org", "ada@exämple.org", "ada\x00@example.org",
		strings.Repeat("a", 65) + "@example.org", "ada@" + strings.Repeat("abcdefgh.", 30) + "org",
	} {
		if a, err := account.ParseAddress(s); account.ReasonOf(err) != account.BadAddress {
			t.Errorf("address %q: %q, %v", s, a, err)
		}
	}
}

func TestVaultFollows(t *testing.T) {
	key, id := vault.NewKey(), latchkey.NewAccountID()
	first := vault.SealVault(key, id, nil, empty)
	second := vault.SealVault(key, id, &first, empty)
	beside := vault.SealVault(key, id, &first, empty)
	third := vault.SealVault(key, id, &second, empty)
	above := second
	above.Number = 9
	foreign := second
	foreign.Account = latchkey.NewAccountID()
	for _, c := range []struct {
		says string
		v    account.Vault
		prev *account.Vault
		want bool
	}{
		{"the first", first, nil, true}, {"the next", second, &first, true},
		{"the second as the first", second, nil, false}, {"one left out", third, &first, false},
		{"the same again", second, &second, false}, {"the one before", first, &second, false},
		{"after one beside", third, &beside, false}, {"another account's", foreign, &first, false},
		{"above some that were lost", above, &first, true},
	} {
		if got := c.v.Follows(c.prev); got != c.want {
			t.Errorf("%s follows: %v", c.says, got)
		}
	}
}

// TestCodes holds the codes against the table of RFC 6238, appendix B, of which people
// see the last six digits.
func TestCodes(t *testing.T) {
	s := account.CodeSecret([]byte("12345678901234567890"))
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got, err := s.Code(time.Unix(at, 0)); got != want || err != nil {
			t.Errorf("at %d the code is %s, %v, want %s", at, got, err, want)
		}
	}
}

func TestCodesWorkOnce(t *testing.T) {
	s := account.NewCodeSecret()
	now := time.Unix(2_000_000_010, 0)
	code := func(d time.Duration) string {
		c, err := s.Code(now.Add(d))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	step := func(code string, last uint64) uint64 {
		n, err := s.Step(code, now, last)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	present := step(code(0), 0)
	if present == 0 || step(code(-30*time.Second), 0) != present-1 || step(code(30*time.Second), 0) != present+1 {
		t.Error("the code of now, of the step before or of the step after is refused")
	}
	for d, last := range map[time.Duration]uint64{
		-60 * time.Second: 0, 60 * time.Second: 0, // too early and too late
		0: present, -30 * time.Second: present, // used, and older than one that was used
	} {
		if n := step(code(d), last); n != 0 {
			t.Errorf("the code of %v is taken after step %d", d, last)
		}
	}
	for _, wrong := range []string{"", "0", code(0) + "0", code(0)[:5], " " + code(0)} {
		if step(wrong, 0) != 0 {
			t.Errorf("the code %q is taken", wrong)
		}
	}
	uri, err := s.URI("example.org", "ada@example.org")
	if err != nil || !strings.HasPrefix(uri, "otpauth://totp/Latchkey%20example.org:ada@example.org?") || !strings.Contains(uri, "secret="+s.Text()+"&") && !strings.HasSuffix(uri, "secret="+s.Text()) {
		t.Errorf("address %q, %v", uri, err)
	}
	if said := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(said, s.Text()) {
		t.Errorf("the secret prints itself: %s", said)
	}
}
