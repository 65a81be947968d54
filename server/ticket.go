package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// admits says whether somebody who shows a ticket may sign up, so that nobody fills the
// disk: with the secret of an open set-up link, the slot of an open invitation, or the
// word of a device that stands in a home here. None of them is used up by that, and
// which it was is kept nowhere: no home is joined with an account.
func (s *Server) admits(ctx context.Context, ticket string) error {
	whose, err := s.open(ctx, ticket)
	if err != nil {
		return err
	}
	if whose == "" {
		return refuse(http.StatusForbidden, api.Expired,
			"The link with which you came was used before, or has run out. Ask whoever gave it to you for another.")
	}
	if wait := s.accounts.tickets.allow(whose, s.now()); wait > 0 {
		return refuse(http.StatusTooManyRequests, api.TooMany, "Too many people have come with this link at once. Wait a while, or ask for another link.").after(wait)
	}
	return nil
}

// open says whose ticket it is, for counting: "" if it is none that holds now.
func (s *Server) open(ctx context.Context, ticket string) (whose string, err error) {
	if slot, err := api.ParseSlot(ticket); err == nil {
		return s.invited(ctx, slot)
	}
	if signed, err := api.ParseTicket(ticket); err == nil {
		return s.vouched(ctx, signed)
	}
	switch is, err := s.config.Archive.Setups.OpenSetup(ctx, hashOf(ticket), timeOf(s.now())); {
	case errors.Is(err, archive.ErrUsed):
		return "", nil
	case err != nil:
		return "", err
	case is != hashOf(ticket):
		s.alarm.misroute("setup", true)
		return "", misroute()
	}
	return ticket, nil
}

// invited says whether a person is waited for in a slot.
func (s *Server) invited(ctx context.Context, slot api.Slot) (string, error) {
	j, err := s.joinOf(ctx, slot)
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case !j.Person || j.Expires < timeOf(s.now()):
		return "", nil
	}
	return slot.String(), nil
}

// vouched says whether a device that stands in its home has signed a ticket.
func (s *Server) vouched(ctx context.Context, t api.SignedTicket) (string, error) {
	title, _, err := s.titles.look(ctx, t.Home)
	if errors.Is(err, archive.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	device, ok := title.Device(t.Device)
	if !ok || t.Verify(device.Signing, s.now()) != nil {
		return "", nil
	}
	return t.Home.String() + t.Device.String(), nil
}
