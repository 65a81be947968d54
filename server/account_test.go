package server_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/vault"
)

// TestAccount goes the way of a person: signs up, signs in on another device with the
// passphrase, from its characters on, and with the recovery code, and opens the vault.
func TestAccount(t *testing.T) {
	h := openHouse(t)
	ticket := must(h.MintSetup(t.Context()))
	begun := must(h.client.BeginAccount(t.Context(), ticket, "Ada@Example.org"))
	if begun.Mail != api.MailNone || begun.Options != "" {
		t.Errorf("begun: %+v", begun)
	}
	p := h.prepare(t, "ada@example.org", begun.Account)
	stretch := account.NewStretch([16]byte(vault.NewRecoveryCode()))
	auth, kek, err := vault.Passphrase("correct horse battery staple", stretch)
	if err != nil {
		t.Fatal(err)
	}
	p.auth, p.phrase = auth, p.wrapped(account.Passphrase, stretch.Bytes(), kek, auth[:])
	form := p.form(ticket)
	form.Email = " Ada@Example.ORG "
	p.session = must(h.client.SignUp(t.Context(), form))

	params := must(h.client.PassphraseParams(t.Context(), "ADA@example.org"))
	asked := must(account.ParseStretch(params))
	auth, kek, err = vault.Passphrase("correct horse battery staple", asked)
	if err != nil {
		t.Fatal(err)
	}
	second := must(h.client.SignInAccount(t.Context(), api.SignInAccount{Email: "ada@EXAMPLE.org", Auth: auth[:]}, nil))
	p.opens(second, kek, nothingYet)
	third := must(h.client.SignInAccount(t.Context(), p.byCode(), nil))
	p.opens(third, p.recovery.Key(), nothingYet)

	is := must(second.Look(t.Context()))
	if is.Email != "ada@example.org" || is.Verified || is.Codes || is.Vault != 1 || len(is.Unlockers) != 2 ||
		is.Unlockers[0].Used == 0 || is.Unlockers[1].Used == 0 {
		t.Errorf("the account: %+v", is)
	}
	if said := fmt.Sprintf("%+v", is); strings.Contains(said, fmt.Sprintf("%v", p.phrase.Wrapped)) {
		t.Error("the list of unlockers gives out wrapped keys")
	}
	if err := second.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = second.Look(t.Context())
	refused(t, "a session that was ended", err, api.SignedOut)
	if _, err := third.Look(t.Context()); err != nil {
		t.Errorf("another session: %v", err)
	}
}

func TestSignUpRefusals(t *testing.T) {
	h := openHouse(t)
	h.signUp(t, "ada@example.org")
	ticket := must(h.MintSetup(t.Context()))
	for what, c := range map[string]struct {
		change func(p *somebody, in *api.SignUp)
		want   api.Reason
	}{
		"no ticket":         {func(p *somebody, in *api.SignUp) { in.Ticket = "ABC" }, api.Expired},
		"no address":        {func(p *somebody, in *api.SignUp) { in.Email = "ada" }, api.Malformed},
		"an address twice":  {func(p *somebody, in *api.SignUp) { in.Email = "Ada@example.org" }, api.Conflict},
		"one unlocker":      {func(p *somebody, in *api.SignUp) { in.Unlockers = in.Unlockers[:1] }, api.LastUnlockers},
		"none":              {func(p *somebody, in *api.SignUp) { in.Unlockers = []api.Unlocker{} }, api.LastUnlockers},
		"two of one ID":     {func(p *somebody, in *api.SignUp) { in.Unlockers[0].Unlocker = in.Unlockers[1].Unlocker }, api.Malformed},
		"two passphrases":   {func(p *somebody, in *api.SignUp) { in.Unlockers[1], _ = p.newPhrase() }, api.Malformed},
		"a short auth":      {func(p *somebody, in *api.SignUp) { in.Unlockers[0].Auth = in.Unlockers[0].Auth[1:] }, api.Malformed},
		"a long parameter":  {func(p *somebody, in *api.SignUp) { in.Unlockers[1].Params = make([]byte, 1025) }, api.Oversize},
		"a short locator":   {func(p *somebody, in *api.SignUp) { in.Unlockers[1].Params = in.Unlockers[1].Params[1:] }, api.Malformed},
		"a short wrap":      {func(p *somebody, in *api.SignUp) { in.Unlockers[0].Wrapped = in.Unlockers[0].Wrapped[1:] }, api.Malformed},
		"weak parameters":   {func(p *somebody, in *api.SignUp) { in.Unlockers[0].Params = weak(in.Unlockers[0].Params) }, api.Malformed},
		"strong parameters": {func(p *somebody, in *api.SignUp) { in.Unlockers[0].Params = strong(in.Unlockers[0].Params) }, api.Malformed},
		"a passkey on an IP address": {func(p *somebody, in *api.SignUp) {
			in.Unlockers[0] = h.passkey(t).unlocker(p, "{}")
		}, api.NoPasskeys},
		"another account's vault": {func(p *somebody, in *api.SignUp) {
			in.Vault = vault.SealVault(p.key, latchkey.NewAccountID(), nil, nothingYet).Bytes()
		}, api.Malformed},
		"a second vault": {func(p *somebody, in *api.SignUp) {
			in.Vault = vault.SealVault(p.key, p.id, &p.vault, nothingYet).Bytes()
		}, api.Malformed},
		"no vault":      {func(p *somebody, in *api.SignUp) { in.Vault = []byte{} }, "truncated"},
		"a large vault": {func(p *somebody, in *api.SignUp) { in.Vault = append(in.Vault, make([]byte, account.MaxVault)...) }, api.Oversize},
	} {
		p := h.prepare(t, "bob@example.org", latchkey.NewAccountID())
		form := p.form(ticket)
		c.change(p, &form)
		_, err := h.client.SignUp(t.Context(), form)
		refused(t, what, err, c.want)
	}
	p := h.prepare(t, "bob@example.org", latchkey.NewAccountID())
	p.session = must(h.client.SignUp(t.Context(), p.form(ticket)))
	_, err := h.client.SignUp(t.Context(), p.form(ticket))
	refused(t, "the same account again", err, api.Conflict)
	eve := h.prepare(t, "eve@example.org", latchkey.NewAccountID())
	form := eve.form(ticket)
	form.Unlockers[1].Params = p.code.Params
	_, err = h.client.SignUp(t.Context(), form)
	refused(t, "another account's locator", err, api.Conflict)

	h.pass(api.SetupLife + time.Second)
	_, err = h.client.BeginAccount(t.Context(), ticket, "eve@example.org")
	refused(t, "a ticket that ran out", err, api.Expired)
	_, err = h.client.SignUp(t.Context(), eve.form(ticket))
	refused(t, "a ticket that ran out", err, api.Expired)
}

// TestTickets: one link is for a house full of people, not for filling a disk.
func TestTickets(t *testing.T) {
	h := openHouse(t)
	ticket := must(h.MintSetup(t.Context()))
	for i := range 20 {
		email := fmt.Sprintf("p%d@example.org", i)
		begun := must(h.client.BeginAccount(t.Context(), ticket, email))
		must(h.client.SignUp(t.Context(), h.prepare(t, email, begun.Account).form(ticket)))
	}
	_, err := h.client.BeginAccount(t.Context(), ticket, "another@example.org")
	refused(t, "the 41st use of a ticket", err, api.TooMany)
	must(h.client.BeginAccount(t.Context(), must(h.MintSetup(t.Context())), "another@example.org"))
}

// TestTicketsOfHomes: the slot of an invitation lets somebody sign up, and so does the
// word of a device that stands in a home.
func TestTicketsOfHomes(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	begin := func(ticket string) error {
		_, err := h.client.BeginAccount(t.Context(), ticket, "ada@example.org")
		return err
	}
	secret, agents := api.NewInviteSecret(), api.NewJoinSecret()
	expires := latchkey.TimeOf(h.time().Add(time.Hour))
	invitation := secret.Announce(api.Invitation{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: expires})
	refused(t, "a slot that is not open", begin(secret.Slot().String()), api.Expired)
	must(0, m.member.OpenInvite(t.Context(), secret.Slot(), invitation, expires))
	soon := latchkey.TimeOf(h.time().Add(20 * time.Minute))
	said := agents.Announce(api.Announcement{Home: m.owner.Home(), Head: m.owner.Title().Head(), Expires: soon})
	must(0, m.member.OpenJoin(t.Context(), agents.Slot(), said, soon))
	if err := begin(secret.Slot().String()); err != nil {
		t.Errorf("the slot of an invitation: %v", err)
	}
	refused(t, "an agent's slot", begin(agents.Slot().String()), api.Expired)

	device, key := m.owner.Device()
	ticket := func(change func(k *api.Ticket), by crypto.Signer) string {
		k := api.Ticket{Home: m.owner.Home(), Device: device, Expires: latchkey.TimeOf(h.time().Add(api.TicketLife))}
		if change != nil {
			change(&k)
		}
		return must(k.Sign(by))
	}
	if err := begin(ticket(nil, key)); err != nil {
		t.Errorf("a device's word: %v", err)
	}
	_, stranger := h.found(t).owner.Device()
	good := ticket(nil, key)
	for what, bad := range map[string]string{
		"by another device":    ticket(nil, stranger),
		"of no device":         ticket(func(k *api.Ticket) { k.Device[0]++ }, key),
		"of no home":           ticket(func(k *api.Ticket) { k.Home[0]++ }, key),
		"that ran out":         ticket(func(k *api.Ticket) { k.Expires = latchkey.TimeOf(h.time()) - 1 }, key),
		"for an hour":          ticket(func(k *api.Ticket) { k.Expires = latchkey.TimeOf(h.time().Add(time.Hour)) }, key),
		"that was cut":         good[:len(good)-4],
		"with a line break in": good[:40] + "\n" + good[40:],
	} {
		refused(t, "a device's word "+what, begin(bad), api.Expired)
	}
	h.pass(2 * time.Hour)
	refused(t, "the slot of an invitation that ran out", begin(secret.Slot().String()), api.Expired)
	refused(t, "a device's word of hours ago", begin(good), api.Expired)
}

func weak(params []byte) []byte {
	s := must(account.ParseStretch(params))
	s.Memory--
	return s.Bytes()
}

func strong(params []byte) []byte {
	s := must(account.ParseStretch(params))
	s.Memory++
	return s.Bytes()
}

func TestVaults(t *testing.T) {
	h := openHouse(t)
	p, other := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	two := vault.SealVault(p.key, p.id, &p.vault, nothingYet)
	for range 2 { // the answer may have been lost
		if err := p.session.PutVault(t.Context(), two.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	for what, v := range map[string]account.Vault{
		"one beside it":     vault.SealVault(p.key, p.id, &p.vault, nothingYet),
		"the one before":    p.vault,
		"one of its number": {Account: p.id, Number: 2, Prev: two.Hash(), Sealed: two.Sealed},
		"one after another": {Account: p.id, Number: 3, Prev: p.vault.Hash(), Sealed: two.Sealed},
	} {
		err := p.session.PutVault(t.Context(), v.Bytes())
		refused(t, what, err, api.Conflict)
		if e, ok := errors.AsType[*api.Error](err); !ok || string(e.Refusal.Document) != string(two.Bytes()) {
			t.Errorf("%s: the loser is not given the newer vault", what)
		}
	}
	refused(t, "another account's", p.session.PutVault(t.Context(), vault.SealVault(other.key, other.id, &other.vault, nothingYet).Bytes()), api.WrongAccount)
	refused(t, "no vault", p.session.PutVault(t.Context(), []byte{1}), "truncated")
	if got := must(p.session.NewestVault(t.Context())); string(got) != string(two.Bytes()) {
		t.Error("another vault is kept")
	}
	if got := must(other.session.NewestVault(t.Context())); string(got) != string(other.vault.Bytes()) {
		t.Error("the other account has another vault")
	}
	// A browser that knows of vaults which a restored server has lost goes on above them.
	above := account.Vault{Account: p.id, Number: 9, Prev: two.Hash(), Sealed: two.Sealed}
	if err := p.session.PutVault(t.Context(), above.Bytes()); err != nil {
		t.Errorf("a vault above some that were lost: %v", err)
	}
	if is := must(p.session.Look(t.Context())); is.Vault != 9 {
		t.Errorf("the vault's number is %d", is.Vault)
	}
}

func TestUnlockers(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	kinds := func() (all []string) {
		for _, u := range must(p.session.Look(t.Context())).Unlockers {
			all = append(all, u.Kind.String())
		}
		slices.Sort(all)
		return all
	}
	for _, u := range []api.Unlocker{p.phrase, p.code} {
		refused(t, "one of the last two", p.session.RemoveUnlocker(t.Context(), u.Unlocker), api.LastUnlockers)
	}
	if t.Failed() {
		return // what was let through has changed the account
	}
	refused(t, "none that is there", p.session.RemoveUnlocker(t.Context(), latchkey.NewUnlockerID()), api.NotFound)

	before := p.byPhrase()
	p.phrase, p.auth = p.newPhrase()
	for range 2 {
		if err := p.session.AddUnlocker(t.Context(), p.phrase); err != nil {
			t.Fatal(err)
		}
	}
	if got := kinds(); !slices.Equal(got, []string{"passphrase", "recovery"}) {
		t.Errorf("after another passphrase there are %v", got)
	}
	_, err := h.client.SignInAccount(t.Context(), before, nil)
	refused(t, "the passphrase from before", err, api.SignInRefused)
	p.signIn(p.byPhrase())

	lost := p.byCode()
	p.code, p.recovery = p.newCode()
	if err := p.session.AddUnlocker(t.Context(), p.code); err != nil {
		t.Fatal(err)
	}
	_, err = h.client.SignInAccount(t.Context(), lost, nil)
	refused(t, "the recovery code from before", err, api.SignInRefused)
	p.signIn(p.byCode())

	other := h.signUp(t, "bob@example.org")
	refused(t, "another account's", p.session.RemoveUnlocker(t.Context(), other.phrase.Unlocker), api.NotFound)
	stolen := p.code
	stolen.Params = other.code.Params
	stolen.Unlocker = latchkey.NewUnlockerID()
	refused(t, "another account's locator", p.session.AddUnlocker(t.Context(), stolen), api.Conflict)
	p.signIn(p.byCode())
	if _, err := p.session.BeginUnlocker(t.Context()); api.ReasonOf(err) != api.NoPasskeys {
		t.Errorf("a passkey on an IP address: %v", err)
	}
}

// TestProof: what changes how an account is opened needs a session that has just begun.
func TestProof(t *testing.T) {
	h := openHouse(t)
	p := h.signUp(t, "ada@example.org")
	h.pass(14 * time.Minute)
	if _, err := p.session.BeginCodes(t.Context()); err != nil {
		t.Errorf("after 14 minutes: %v", err)
	}
	h.pass(2 * time.Minute)
	phrase, _ := p.newPhrase()
	_, email := p.session.ChangeEmail(t.Context(), "x@example.org")
	_, codes := p.session.BeginCodes(t.Context())
	_, begin := p.session.BeginUnlocker(t.Context())
	for what, err := range map[string]error{
		"add": p.session.AddUnlocker(t.Context(), phrase), "remove": p.session.RemoveUnlocker(t.Context(), p.phrase.Unlocker),
		"begin": begin, "email": email, "codes": codes, "prove": p.session.ProveCode(t.Context(), "123456"),
		"end": p.session.EndCodes(t.Context()), "confirm": p.session.ConfirmEmail(t.Context(), "x@example.org", "12345678"),
	} {
		refused(t, what+" after 16 minutes", err, api.ProveAgain)
	}
	_, err := p.session.Delete(t.Context())
	refused(t, "delete after 16 minutes", err, api.ProveAgain)
	if _, err := p.session.Look(t.Context()); err != nil {
		t.Errorf("looking: %v", err)
	}
	if t.Failed() {
		return // what was let through has changed the account
	}
	old := p.session
	p.signIn(p.byPhrase())
	if err := p.session.AddUnlocker(t.Context(), phrase); err != nil {
		t.Errorf("after proving again: %v", err)
	}
	_, err = old.Look(t.Context())
	refused(t, "the session from before", err, api.SignedOut)
}

func TestAccountSessions(t *testing.T) {
	h := openHouse(t)
	p, other := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	second := must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil))
	third := must(h.client.SignInAccount(t.Context(), p.byCode(), other.session)) // another account's cookie ends nothing
	all := must(second.Sessions(t.Context()))
	var current []latchkey.SessionID
	for _, s := range all {
		if s.Current {
			current = append(current, s.Session)
		}
	}
	if len(all) != 3 || !slices.Equal(current, []latchkey.SessionID{second.Session}) {
		t.Errorf("sessions: %+v", all)
	}
	refused(t, "another account's session", second.EndSession(t.Context(), other.session.Session), api.NotFound)
	if err := second.EndSession(t.Context(), third.Session); err != nil {
		t.Fatal(err)
	}
	_, err := third.Look(t.Context())
	refused(t, "a session that another ended", err, api.SignedOut)
	if _, err := other.session.Look(t.Context()); err != nil {
		t.Errorf("the other account's session: %v", err)
	}
	h.pass(api.SessionLife + time.Second)
	_, err = second.Look(t.Context())
	refused(t, "after 30 days", err, api.SignedOut)
	p.signIn(p.byPhrase())
	if all := must(p.session.Sessions(t.Context())); len(all) != 1 || all[0].Session != p.session.Session {
		t.Errorf("the others have run out, and these are listed: %+v", all)
	}
}

// accountAddress is a route's, with somebody's own IDs in it.
func accountAddress(route api.Route, p *somebody) string {
	return strings.NewReplacer("{account}", p.id.String(), "{session}", p.session.Session.String(), "{unlocker}", p.phrase.Unlocker.String()).Replace(route.Pattern)
}

// TestAccountWalk asks every route of accounts as everybody who may not.
func TestAccountWalk(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	p, other := h.signUp(t, "ada@example.org"), h.signUp(t, "bob@example.org")
	ended := must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil))
	if err := ended.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	cookie := func(s *api.SignedIn) http.Header { return http.Header{"Cookie": {s.Cookie()}} }
	mac := func(s *api.SignedIn) *api.MACKey { k := s.MACKey(); return &k }
	_, secret, _ := strings.Cut(other.session.Cookie(), ".")
	renamed := http.Header{"Cookie": {api.AccountCookie + "=" + p.id.String() + "." + secret}}
	twice := http.Header{"Cookie": {p.session.Cookie() + "; " + p.session.Cookie()}}
	n := 0
	for _, route := range api.Routes {
		if route.Right != api.AccountHeld && route.Right != api.AccountProven {
			continue
		}
		n++
		path := accountAddress(route, p)
		body := ""
		if route.Request != nil {
			body = string(must(json.Marshal(route.Request)))
		}
		for who, asker := range map[string]struct {
			header http.Header
			mac    *api.MACKey
			origin string
			want   int
		}{
			"nobody":                     {http.Header{}, nil, h.origin, 401},
			"a member of a home":         {m.asPage(), m.mac(), h.origin, 401},
			"the cookie alone":           {cookie(p.session), nil, h.origin, 401},
			"the cookie, another's MAC":  {cookie(p.session), mac(other.session), h.origin, 401},
			"another account's session":  {cookie(other.session), mac(other.session), h.origin, 401},
			"another's cookie, my MAC":   {cookie(other.session), mac(p.session), h.origin, 401},
			"their secret by my name":    {renamed, mac(other.session), h.origin, 401},
			"the cookie twice":           {twice, mac(p.session), h.origin, 401},
			"an ended session":           {cookie(ended), mac(ended), h.origin, 401},
			"another site's page":        {cookie(p.session), mac(p.session), "https://evil.example.org", 403},
			"no page (a forged request)": {cookie(p.session), mac(p.session), "", 403},
		} {
			if asker.want == 403 && !route.Unsafe() {
				continue
			}
			if asker.origin != "" {
				asker.header.Set("Origin", asker.origin)
			} else {
				asker.header.Del("Origin")
			}
			answer, text := h.do(t, raw{method: route.Method, path: path, header: asker.header, mac: asker.mac, body: body})
			if answer.StatusCode != asker.want {
				t.Errorf("%s as %s: %d %s, want %d", route.ID, who, answer.StatusCode, text, asker.want)
			}
		}
	}
	if n < 14 {
		t.Errorf("%d routes were walked", n)
	}
	if h.metric(t, "latchkey_misroutes_total", "where=crossed-account") == 0 {
		t.Error("no cookie that came without its page's MAC was counted")
	}
	if t.Failed() {
		return // what was let through has changed the account
	}
	if is := must(p.session.Look(t.Context())); len(is.Unlockers) != 2 || is.Email != "ada@example.org" {
		t.Errorf("the walk has changed the account: %+v", is)
	}
}
