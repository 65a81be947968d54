package server_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// TestAccountControls runs the tests of accounts against one server that lacks all the
// checks which they are for, and wants of each the sentence that says so.
func TestAccountControls(t *testing.T) {
	tests := map[string]string{}
	var cuts []sabotage.Cut
	for _, c := range []struct{ test, says, file, old, new string }{
		{"TestAccountWalk", "as the cookie alone: 200", "server/account.go",
			"		a.crossedAccount(session)\n		return signedOut()\n", "		a.crossedAccount(session)\n"},
		{"TestTicketsOfHomes", "a device's word by another device: <nil>", "server/ticket.go",
			"if !ok || t.Verify(device.Signing, s.now()) != nil {", "if !ok || len(device.Signing) == 0 {"},
		{"TestPasskeyRefusals", "a challenge that ran out: <nil>", "server/passkey.go",
			"if err != nil || !p.nonces.genuine(nonce, about, p.now()) {", "if err != nil {"},
		{"TestMailTellsNobody", "the mail to a known address: ", "server/mailcode.go", "	if taken {", "	if false {"},
		{"TestAppCodes", "a code again: <nil>", "account/codes.go", "== 1 && step > last {", "== 1 {"},
		{"TestAppCodes", "a code again: <nil>", "archive/accounts.go", "account = ?2 AND step < ?1 AND", "account = ?2 AND"},
		{"TestGuessing", "no pause after 5 wrong tries", "server/guess.go", "case now.Before(is.until):", "case false:"},
		{"TestOneRefusal", "an address of nobody: 404", "server/account_signin.go",
			"err != nil && !errors.Is(err, archive.ErrNotFound)", "err != nil"},
		{"TestUnlockers", "one of the last two: <nil>", "archive/accounts.go", "if account.CheckKinds(left) != nil {", "if false {"},
		{"TestProof", "add after 16 minutes: <nil>", "server/account.go", "if a.route.Right == api.AccountProven &&", "if false &&"},
		{"TestDeleteAccount", "another session: the server refused (not-found)", "archive/ends.go", `{"account_sessions", "vaults",`, `{"vaults",`},
		{"TestDeletedAccountAndRestore", "another account's: <nil>", "server/account_end.go", "s.endOf(in.Account)) != 1 {", "s.endOf(in.Account)) > 1 {"},
	} {
		tests[c.test] = c.says
		cuts = append(cuts, sabotage.Cut{File: c.file, Old: c.old, New: c.new})
	}
	without := controls.Without(t, cuts...)
	t.Parallel()
	run := "^(" + strings.Join(slices.Collect(maps.Keys(tests)), "|") + ")$"
	out, err := without.Tests(t.Context(), run)
	for test, says := range tests {
		if err == nil || !strings.Contains(string(out), "FAIL: "+test+" ") || !strings.Contains(string(out), says) {
			t.Errorf("with its check removed %s does not say %q: %v\n%s", test, says, err, out)
		}
	}
}
