package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The rules of what people read here: what happened, then what to do; no names of
// programs' parts, no secrets, nothing of the error underneath, which is in the log.

// refusal is an answer that says no. It is an error, so that what refuses can be
// anywhere below a handler.
type refusal struct {
	status int
	body   api.Refusal
	offset *uint64 // with reason offset
	cause  error   // for the log, when it is the server's own fault
}

func (r *refusal) Error() string { return string(r.body.Error.Reason) }
func (r *refusal) Unwrap() error { return r.cause }

// refuse makes a refusal.
func refuse(status int, reason api.Reason, message string) *refusal {
	return &refusal{status: status, body: api.Refusal{Error: api.Problem{Reason: reason, Message: message}}}
}

// after says when to come back.
func (r *refusal) after(d time.Duration) *refusal {
	r.body.Error.RetryAfterMS = d.Milliseconds()
	return r
}

// with adds the deeds that were missed.
func (r *refusal) with(t *deed.Title, from uint64) *refusal {
	head := api.Head(t.Head())
	r.body.Home, r.body.Head = t.Home().String(), &head
	r.body.Deeds = firstOf(t.Deeds(from), maxDeedBytes)
	return r
}

// notFound is the answer for what is not there and for what is not the asker's. There
// is one of it, so that the two cannot be told apart.
func notFound() *refusal {
	return refuse(http.StatusNotFound, api.NotFound, "There is nothing here, or it is not yours to see.")
}

func malformed(message string) *refusal {
	return refuse(http.StatusBadRequest, api.Malformed, message)
}

func signedOut() *refusal {
	return refuse(http.StatusUnauthorized, api.SignedOut, "You are signed out. Sign in again.")
}

func busy(d time.Duration) *refusal {
	return refuse(http.StatusTooManyRequests, api.Busy, "There is too much going on at once. Try again in a moment.").after(d)
}

func unknownHead() *refusal {
	return refuse(http.StatusConflict, api.UnknownHead,
		"This server does not have the deeds you name. If it was restored from a backup, its operator has to know.").after(time.Minute)
}

func homeClosed() *refusal {
	return refuse(http.StatusServiceUnavailable, api.Closed,
		"This server was restored from a backup. The home opens again as soon as its agent, or one of its owners, has confirmed that nothing newer is missing.").after(10 * time.Second)
}

func homeDeleted() *refusal {
	return refuse(http.StatusGone, api.HomeDeleted, "An owner has deleted this home. Nothing of it is left here, and nothing of it is taken any more.").after(10 * time.Minute)
}

// asRefusal turns an error into the answer to give.
func asRefusal(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if b, ok := errors.AsType[*bound.BusyError](err); ok {
		return refuse(http.StatusServiceUnavailable, api.Busy,
			"A part of the server is out of order, and the rest has too much to do. Try again in a moment.").after(max(b.After, time.Second))
	}
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return notFound()
	case errors.Is(err, archive.ErrFull), durable.Full(err):
		r := refuse(http.StatusServiceUnavailable, api.Full, "The server's disk is full. Its operator has to make room; nothing that was stored is lost.")
		r.cause = err
		return r.after(time.Minute)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusServiceUnavailable, api.Busy, "The server could not finish in time. Try again.").after(5 * time.Second)
	}
	r := refuse(http.StatusInternalServerError, api.Internal, "The server has made a mistake. Its log says more; try again later.")
	r.cause = err
	return r.after(10 * time.Second)
}

// objectRefusal gives a refusal of package sealed its status.
func objectRefusal(err error) *refusal {
	reason := api.Reason(sealed.ReasonOf(err))
	if reason == "" {
		return asRefusal(err)
	}
	status, message := http.StatusBadRequest, "The object is refused: "+string(reason)+"."
	switch sealed.Reason(reason) {
	case sealed.Oversize:
		status = http.StatusRequestEntityTooLarge
	case sealed.UnknownHead:
		return unknownHead()
	case sealed.UnknownSigner, sealed.WrongAgent:
		return refuse(http.StatusForbidden, map[bool]api.Reason{true: api.UnknownAgent, false: api.WrongAgent}[reason == api.Reason(sealed.UnknownSigner)],
			"The home's deeds do not give this camera to this agent.")
	}
	return refuse(status, reason, message)
}

// letterRefusal gives a refusal of a letter its status.
func letterRefusal(err error) *refusal {
	r := objectRefusal(err)
	if reason := sealed.ReasonOf(err); reason != "" && reason != sealed.UnknownHead {
		r.body.Error = api.Problem{Reason: api.Reason(reason), Message: "The letter is refused: " + string(reason) + "."}
	}
	return r
}

// deedRefusal gives a refusal of package deed its status.
func deedRefusal(err error) *refusal {
	reason := api.Reason(deed.ReasonOf(err))
	if reason == "" {
		return asRefusal(err)
	}
	status := http.StatusBadRequest
	switch deed.Reason(reason) {
	case deed.NotAllowed, deed.UnknownSigner, deed.BadSignature:
		status = http.StatusForbidden
	case deed.Oversize:
		status = http.StatusRequestEntityTooLarge
	}
	return refuse(status, reason, "The deed is refused: "+string(reason)+".")
}

// refuse sends a refusal.
func (a *asking) refuse(err error) {
	r := asRefusal(err)
	if r.cause != nil {
		a.server.log.Error("request", "route", a.route.ID, "request", a.id, "reason", r.body.Error.Reason, "error", r.cause)
	}
	body := r.body
	body.Request = a.id
	h := a.w.Header()
	h.Set(api.HeaderReason, string(body.Error.Reason))
	if r.offset != nil {
		h.Set(api.HeaderOffset, strconv.FormatUint(*r.offset, 10))
	}
	if ms := body.Error.RetryAfterMS; ms > 0 {
		h.Set("Retry-After", strconv.FormatInt((ms+999)/1000, 10))
	}
	a.send(r.status, body)
}

// answer sends a good answer with the status that the table gives.
func (a *asking) answer(body any) { a.send(a.route.Status, body) }

func (a *asking) send(status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		panic("internal error: encode answer: " + err.Error())
	}
	b = append(b, '\n')
	a.allow(a.server.config.Patience, a.server.config.Patience*time.Duration(1+len(b)/piece))
	h := a.w.Header()
	if a.key != nil {
		h.Set(api.HeaderAnswer, a.key.AnswerMAC(a.id, status, b))
	}
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	a.w.WriteHeader(status)
	if a.r.Method != http.MethodHead {
		_, _ = a.w.Write(b) // an asker who has gone is no fault of ours
	}
}

// maxDeedBytes bounds the deeds in one answer, so that it fits into a message.
const maxDeedBytes = 2 << 20

// firstOf returns as many deeds as fit, at least one if there is one.
func firstOf(deeds [][]byte, max int) [][]byte {
	size := 0
	for i, d := range deeds {
		if size += len(d); size > max && i > 0 {
			return deeds[:i]
		}
	}
	return deeds
}

// some returns an empty list for none, which JSON writes as [] and not as null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func timeOf(t time.Time) latchkey.Time { return latchkey.TimeOf(t) }

// hashOf is what an archive keeps of a secret.
func hashOf(secret string) archive.Secret { return sha256.Sum256([]byte(secret)) }
