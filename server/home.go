package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

// handlers are the routes' by their ID.
func (s *Server) handlers() map[string]func(a *asking) error {
	return map[string]func(a *asking) error{
		"health":         s.health,
		"found-home":     s.foundHome,
		"challenge":      s.challenge,
		"sign-in":        s.signIn,
		"sign-in-person": s.signInPerson,
		"reveal-join":    s.revealJoin,
		"close-join":     s.closeJoin,
		"found-again":    s.foundAgain,
		"sign-out":       s.signOut, "sessions": s.sessions, "end-session": s.endListed,
		"deeds":         s.deeds,
		"append-deeds":  s.appendDeeds,
		"confirm":       s.confirm,
		"settings":      s.settings,
		"put-settings":  s.putSettings,
		"events":        s.events,
		"tombstones":    s.tombstones,
		"delete":        s.delete,
		"usage":         s.usage,
		"review":        s.review,
		"asks":          s.asks,
		"refuse-ask":    s.refuseAsk,
		"open-join":     s.openJoin,
		"join":          s.join,
		"report":        s.report,
		"command":       s.command,
		"conditions":    s.conditions,
		"changes":       s.changes,
		"live":          s.watch,
		"live-inlet":    s.inlet,
		"join-slot":     s.joinSlot,
		"answer-join":   s.answerJoin,
		"object":        s.object,
		"upload-offset": s.uploadOffset,
		"upload":        s.upload,
		"agent":         s.agent,

		"begin-account":       s.beginAccount,
		"sign-up":             s.signUp,
		"passphrase-params":   s.passphraseParams,
		"passkey-options":     s.passkeyOptions,
		"sign-in-account":     s.signInAccount,
		"account":             s.account,
		"vault":               s.vault,
		"put-vault":           s.putVault,
		"begin-unlocker":      s.beginUnlocker,
		"add-unlocker":        s.addUnlocker,
		"remove-unlocker":     s.removeUnlocker,
		"begin-codes":         s.beginCodes,
		"prove-code":          s.proveCode,
		"end-codes":           s.endCodes,
		"change-email":        s.changeEmail,
		"confirm-email":       s.confirmEmail,
		"account-sessions":    s.accountSessions,
		"end-account-session": s.endAccountListed,
		"sign-out-account":    s.signOutAccount,
		"delete-account":      s.deleteAccount, "end-account-again": s.endAgain,
	}
}

func (s *Server) health(a *asking) error {
	a.answer(api.Health{
		OK: true, Mail: s.config.Mail != nil, Passkeys: s.accounts.passkeys.web != nil, Trust: s.config.Trust, Generation: s.generation, Spared: s.sparedNow(),
	})
	return nil
}

// maxAppend bounds the deeds of one request; the bytes of the request bound them too.
const maxAppend = 512

func (s *Server) foundHome(a *asking) error {
	var in api.FoundHome
	if err := a.read(&in); err != nil {
		return err
	}
	if len(in.Deeds) < 2 || len(in.Deeds) > maxAppend {
		return malformed("A home begins with two deeds: found, and its first epoch.")
	}
	title, err := deed.Start(in.Deeds...)
	if err != nil {
		return deedRefusal(err)
	}
	if title.Epoch() < 1 {
		return malformed("A home begins with two deeds: found, and its first epoch.")
	}
	g := archive.Growth{Home: title.Home(), Deeds: in.Deeds, Head: title.Head(), Epoch: title.Epoch()}
	switch err := s.config.Archive.Homes.Found(a.r.Context(), hashOf(in.Setup), timeOf(s.now()), g); {
	case errors.Is(err, archive.ErrUsed):
		return refuse(http.StatusForbidden, api.Expired,
			"The set-up link was used before, or has run out after its 30 minutes. On the server's machine, \"latchkey server setup-link\" prints another.")
	case errors.Is(err, archive.ErrConflict):
		return refuse(http.StatusConflict, api.Conflict, "This home was founded before. Sign in to it.")
	case err != nil:
		return err
	}
	s.log.Info("home founded", "home", g.Home)
	a.answer(api.HomeHead{Home: g.Home, Head: api.Head(g.Head)})
	return nil
}

func (s *Server) deeds(a *asking) error {
	q, err := a.query()
	if err != nil {
		return err
	}
	from, err := number(q, "from", 0, latchkey.MaxInt, 0)
	if err != nil {
		return err
	}
	a.answer(api.Deeds{
		Home: a.home, Head: api.Head(a.title.Head()), Deeds: some(firstOf(a.title.Deeds(from), maxDeedBytes)), Generation: s.generation,
	})
	return nil
}

func (s *Server) appendDeeds(a *asking) error {
	var in api.AppendDeeds
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	title, err := s.grow(a.r.Context(), a, a.title, latchkey.Head(in.Onto), in.Deeds)
	if err != nil {
		return err
	}
	a.answer(api.HomeHead{Home: a.home, Head: api.Head(title.Head())})
	return nil
}

// grow appends deeds to a home's chain and returns its title then. It does not matter
// who brings them: a deed carries its own authority. By is the request that does, nil if
// there is none.
func (s *Server) grow(ctx context.Context, by *asking, title *deed.Title, onto latchkey.Head, deeds [][]byte) (*deed.Title, error) {
	if len(deeds) < 1 || len(deeds) > maxAppend {
		return nil, malformed("Want 1 to 512 deeds.")
	}
	if title.Head() != onto {
		return missed(title, onto, deeds)
	}
	next, err := title.Append(deeds...)
	if err != nil {
		return nil, deedRefusal(err)
	}
	g := growth(title, next, deeds)
	err = s.config.Archive.Homes.Append(ctx, onto, g)
	if errors.Is(err, archive.ErrConflict) { // between the look and the leap
		if title, _, err = s.titles.look(ctx, g.Home); err != nil {
			return nil, err
		}
		return missed(title, onto, deeds)
	} else if err != nil {
		return nil, err
	}
	s.titles.put(next)
	s.cuts.moved(next, by)
	s.news.soon()
	if len(g.Placed) > 0 {
		s.hub.changed(g.Home, api.AsksChanged)
	}
	return next, nil
}

// missed is about deeds that come too late: the same deeds again are accepted, others
// refused with those that their author has missed.
func missed(t *deed.Title, onto latchkey.Head, deeds [][]byte) (*deed.Title, error) {
	if !t.OnChain(onto) {
		if onto.Seq > t.Head().Seq {
			return nil, unknownHead()
		}
		return nil, refuse(http.StatusConflict, api.Conflict, "The deeds follow another chain than this home's.").with(t, 0)
	}
	since := t.Deeds(onto.Seq + 1)
	if len(since) >= len(deeds) && slices.EqualFunc(since[:len(deeds)], deeds, bytes.Equal) {
		return t, nil
	}
	return nil, refuse(http.StatusConflict, api.Conflict, "Somebody else has changed the home at the same time. Look again, and repeat what you wanted.").with(t, onto.Seq+1)
}

// settingsOf returns the document of a home, nil if there is none, and refuses one that
// is another home's.
func (s *Server) settingsOf(ctx context.Context, home latchkey.HomeID) (*sealed.Settings, []byte, error) {
	d, err := s.config.Archive.Settings.Settings(ctx, home)
	if errors.Is(err, archive.ErrNotFound) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	kept, err := s.checkSettings(home, d)
	if err != nil {
		return nil, nil, err
	}
	return kept, d.Bytes, nil
}

func (s *Server) checkSettings(home latchkey.HomeID, d archive.Document) (*sealed.Settings, error) {
	kept, err := sealed.ParseSettings(d.Bytes)
	if err != nil {
		s.counters.corrupt.Inc()
		return nil, corrupt()
	}
	if d.Home != home || kept.Home != home {
		s.alarm.misroute("settings", true, "asked", home.String(), "found", kept.Home.String())
		return nil, misroute()
	}
	return &kept, nil
}

func (s *Server) settings(a *asking) error {
	_, document, err := s.settingsOf(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	a.answer(api.Settings{Home: a.home, Document: some(document)})
	return nil
}

func (s *Server) putSettings(a *asking) error {
	var in api.Settings
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	next, err := sealed.ParseSettings(in.Document)
	if err == nil {
		err = next.Verify(a.title)
	}
	if err != nil {
		return objectRefusal(err)
	}
	if by, ok := a.title.PersonBySigningKey(next.Signer); !ok || by.Role != deed.Owner {
		return objectRefusal(sealed.Refuse(sealed.NotAllowed, "signed by somebody who is no owner any more"))
	}
	kept, document, err := s.settingsOf(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	if !sealed.SameRecipients(next, a.title) {
		return settingsConflict(document) // sealed for those who were in the home before somebody changed that
	}
	if !bytes.Equal(document, in.Document) { // the same again is accepted
		var replaced [32]byte
		if kept != nil {
			replaced = kept.Hash()
		}
		if !next.Replaces(kept) {
			return settingsConflict(document)
		}
		err = s.config.Archive.Settings.PutSettings(a.r.Context(), replaced, archive.Document{Home: a.home, Bytes: in.Document})
		if errors.Is(err, archive.ErrConflict) {
			if _, document, err = s.settingsOf(a.r.Context(), a.home); err != nil {
				return err
			}
			return settingsConflict(document)
		} else if err != nil {
			return err
		}
		s.hub.changed(a.home, api.SettingsChanged)
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

func settingsConflict(document []byte) *refusal {
	r := refuse(http.StatusConflict, api.Conflict, "Somebody else has changed the settings at the same time. Look again, and repeat what you wanted.")
	r.body.Document = document
	return r
}
