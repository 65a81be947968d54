package server

import (
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/sealed"
)

// report takes a member's word that something was wrong, and looks whether the server's
// own records bear it out: any member could lie, so that a report alone confirms nothing.
func (s *Server) report(a *asking) error {
	if !s.reports.allow(a.session.Secret, s.now()) {
		return busy(time.Minute)
	}
	var in api.Report
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	if err := checkReport(a.home, in); err != nil {
		return err
	}
	receipts, err := s.config.Archive.Receipts.Receipts(a.r.Context(), a.home, a.session.Secret, in.Delivery)
	if err != nil {
		return err
	}
	var proof archive.Receipt
	confirmed := false
	for _, r := range receipts {
		if !of(r, a.home, a.session.Secret, in.Delivery) {
			s.alarm.misroute("receipt", true, "asked", a.home.String(), "found", r.Home.String(), "request", a.id)
			return misroute()
		}
		if !confirmed && bears(in, r) {
			proof, confirmed = r, true
		}
	}
	s.counters.reports.WithLabelValues(in.Word, map[bool]string{true: "true", false: "false"}[confirmed]).Inc()
	if in.Word == sealed.Misroute {
		s.alarm.misroute("report", confirmed, "home", a.home.String(), "device", a.session.Device.String(),
			"asked", in.Asked, "found", proof.Sent, "reason", in.Reason, "request", in.Delivery)
	} else {
		s.log.Warn("report", "word", in.Word, "reason", in.Reason, "confirmed", confirmed, "home", a.home, "asked", in.Asked, "request", in.Delivery)
	}
	a.answer(api.Reported{Home: a.home, Confirmed: confirmed})
	return nil
}

// of says whether a receipt is of a request, of that session at that home.
func of(r archive.Receipt, home latchkey.HomeID, session archive.Secret, request string) bool {
	return r.Home == home && r.Session == session && r.Request == request
}

// bears says whether a receipt bears a report out: under that request something was
// handed out, or held back, that is not what was asked for.
func bears(in api.Report, r archive.Receipt) bool {
	if in.Asked != "" && r.Asked != in.Asked {
		return false
	}
	if len(in.Header) > 0 && r.Outcome == archive.Delivered && r.Header != sha256.Sum256(in.Header) {
		return false // something else came than what the records have
	}
	switch in.Word {
	case sealed.Misroute:
		return r.Outcome == archive.Misrouted || r.Sent != r.Asked
	case sealed.Corrupt:
		return r.Outcome == archive.Damaged
	}
	return false
}

// words and reasons are closed lists: what a report says goes into the log.
var (
	words   = []string{sealed.Misroute, sealed.Corrupt, sealed.UnknownKey}
	reasons = []sealed.Reason{
		sealed.Malformed, sealed.Truncated, sealed.Trailing, sealed.Oversize, sealed.FutureVersion, sealed.UnknownSuite,
		sealed.OldVersion, sealed.WrongHome, sealed.WrongCamera, sealed.WrongDay, sealed.WrongKind, sealed.WrongObject,
		sealed.UnknownHead, sealed.UnknownSigner, sealed.WrongAgent, sealed.FormerSigner, sealed.BadSignature, sealed.WrongHash, sealed.NoEnvelope,
		sealed.UnknownEpoch, sealed.OldEpoch, sealed.BadEnvelope, sealed.Commitment, sealed.BadChunk,
		sealed.WrongCommand, sealed.Stale, sealed.Replayed, sealed.Fork, sealed.NotAllowed, sealed.WrongRecipients, sealed.BadContent, // letters
		sealed.Misroute, sealed.Corrupt, // the server's own words, for what it held back
		// Of settings, letters and live view.
		sealed.NotAllowed, sealed.WrongRecipients, sealed.Replayed, sealed.Fork, sealed.BadContent,
		sealed.WrongCommand, sealed.Stale, sealed.Expired, sealed.WrongStream, sealed.WrongKnock, sealed.WrongRun, sealed.Frozen,
	}
)

func checkReport(home latchkey.HomeID, in api.Report) error {
	if api.CheckRequestID(in.Delivery) != nil || !slices.Contains(words, in.Word) || !slices.Contains(reasons, sealed.Reason(in.Reason)) {
		return malformed("The report names no request, or its word or reason is not of the lists.")
	}
	if in.Asked != "" {
		if name, err := latchkey.ParseName(in.Asked); err != nil || name.Home != home {
			return malformed("The report is about a name that is not of this home.")
		}
	}
	if len(in.Header) > sealed.MaxHeader {
		return malformed("The report's header is too long.")
	}
	return nil
}

// pace lets each session do something so often in a while.
type pace struct {
	most  int
	every time.Duration

	mu   sync.Mutex // protects what follows
	from time.Time
	seen map[archive.Secret]int
}

func newPace(most int, every time.Duration) *pace {
	return &pace{most: most, every: every, seen: map[archive.Secret]int{}}
}

func (p *pace) allow(who archive.Secret, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.from) >= p.every || now.Before(p.from) {
		p.from = now
		clear(p.seen)
	}
	p.seen[who]++
	return p.seen[who] <= p.most
}
