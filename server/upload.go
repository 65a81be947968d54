package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/sealed"
)

// maxUploads is how many uploads of one home go on at once. An agent has a few.
const maxUploads = 32

// An upload is durable in this order: body, blob under its name, row in the index,
// answer. A crash between two of them leaves what the repeated upload finds again.

func (s *Server) uploadOffset(a *asking) error {
	h := a.w.Header()
	switch _, err := s.rowOf(a); {
	case err == nil:
		h.Set(api.HeaderStored, a.name.String())
	case !errors.Is(err, archive.ErrNotFound):
		return err
	}
	p, err := s.config.Blobs.Staged(a.r.Context(), a.name)
	switch {
	case errors.Is(err, blob.ErrNotFound):
	case err != nil:
		return err
	case p.Header.Name() != a.name:
		s.alarm.misroute("staged", true, "asked", a.name.String(), "found", p.Header.Name().String(), "request", a.id)
		return misroute().after(time.Minute)
	}
	h.Set(api.HeaderOffset, strconv.FormatUint(p.Held, 10))
	a.w.WriteHeader(a.route.Status)
	return nil
}

func (s *Server) upload(a *asking) error {
	outcome := "stored"
	err := s.take(a)
	if err != nil {
		outcome = string(asRefusal(err).body.Error.Reason)
		if api.Reason(outcome) == api.Different {
			s.counters.different.Inc()
			s.log.Error("different", "name", a.name, "agent", a.agent.ID, "request", a.id)
		}
		if api.Reason(outcome) == api.Deleted { // with what came of it, before or just now
			if err := s.config.Blobs.Remove(a.r.Context(), a.name); err != nil && !errors.Is(err, blob.ErrBusy) {
				return err
			}
		}
	}
	s.counters.uploads.WithLabelValues(outcome).Inc()
	return err
}

// take takes an object in.
func (s *Server) take(a *asking) error {
	leave, ok := s.uploads.enter(a.home)
	if !ok {
		return busy(2 * time.Second)
	}
	defer leave()
	offset, err := uploadFrom(a.r)
	if err != nil {
		return err
	}
	file, size, err := a.prefix()
	if err != nil {
		return err
	}
	if stored, err := s.known(a, file.Header); err != nil {
		return err
	} else if stored {
		return s.stored(a)
	}
	if err := s.fit(a, file); err != nil {
		return err
	}
	leave, err = s.spare(file.Header)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.alive(a.r.Context(), file.Header); err != nil {
		return err
	}
	crash.Point("server.upload.checked")
	staged, err := s.config.Blobs.Stage(a.r.Context(), file.Header)
	if err != nil {
		return stageRefusal(err)
	}
	defer staged.Close() // what it keeps for next time is worth no more than that
	if err := s.receive(a, staged, file.Header, offset, size); err != nil {
		return err
	}
	crash.Point("server.upload.staged")
	if err := commit(a, staged, offset); err != nil {
		return err
	}
	crash.Point("server.upload.committed")
	if err := s.index(a, file); err != nil {
		return err
	}
	crash.Point("server.upload.indexed")
	s.hub.happened(a.title, a.name.Camera, a.name.Kind, timeOf(s.now()))
	return s.stored(a)
}

func (s *Server) stored(a *asking) error {
	a.answer(api.Stored{Home: a.home, Name: a.name.String(), Stored: true})
	crash.Point("server.upload.answered")
	return nil
}

func uploadFrom(r *http.Request) (uint64, error) {
	values := r.Header.Values(api.HeaderOffset)
	if len(values) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(values[0], 10, 53)
	if err != nil || len(values) > 1 {
		return 0, malformed("The header " + api.HeaderOffset + " is no number.")
	}
	return n, nil
}

// prefix reads the file up to its body and says how long that is.
func (a *asking) prefix() (sealed.File, int64, error) {
	if a.r.Header.Get("Content-Encoding") != "" {
		return sealed.File{}, 0, refuse(http.StatusUnsupportedMediaType, api.Malformed, "Want a body that is not compressed.")
	}
	f, err := sealed.ReadFile(a.r.Body)
	if err == nil && f.Header.BodyLength > f.Header.Binding.Kind.MaxBody() {
		err = sealed.Refuse(sealed.Oversize, "body of %d bytes", f.Header.BodyLength)
	}
	if sealed.ReasonOf(err) != "" {
		return f, 0, objectRefusal(err)
	} else if err != nil {
		return f, 0, malformed("The upload broke off.")
	}
	return f, int64(len(f.Bytes())), nil
}

// known says whether this very object is indexed already: then it is acknowledged
// again, whatever has become of the epoch since.
func (s *Server) known(a *asking, h sealed.Header) (bool, error) {
	if h.Name() != a.name {
		return false, objectRefusal(sealed.Verify(h, a.name, a.title))
	}
	row, err := s.rowOf(a)
	switch {
	case errors.Is(err, archive.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case string(row.Header) != string(h.Bytes()):
		return false, different()
	}
	return true, nil
}

// rowOf returns the row of the name in the address, and refuses another.
func (s *Server) rowOf(a *asking) (archive.Row, error) {
	row, err := s.config.Archive.Objects.Object(a.r.Context(), a.name)
	if err == nil && (row.Problem != "" || row.Name != a.name) {
		s.alarm.misroute("row", true, "asked", a.name.String(), "kept", row.Name.String(), "found", row.Found.String(), "request", a.id)
		return archive.Row{}, misroute().after(time.Minute)
	}
	return row, err
}

func different() *refusal {
	return refuse(http.StatusConflict, api.Different, "Other bytes are stored under this name. They stay; these are refused.")
}

// fit checks header and envelopes with the deeds as they are now, before a byte of the
// body is read.
func (s *Server) fit(a *asking, f sealed.File) error {
	if !a.title.OnChain(a.head) {
		return unknownHead()
	}
	if err := sealed.Verify(f.Header, a.name, a.title); err != nil {
		return objectRefusal(err)
	}
	if by, ok := a.title.AgentByKey(f.Header.Binding.AgentKey); !ok || by.ID != a.agent.ID {
		return refuse(http.StatusForbidden, api.WrongAgent, "The object was signed by another agent than the one that brings it.")
	}
	return wrapped(f, a.title, a.head)
}

// wrapped wants an envelope for the newest epoch, and none for a key that the home does
// not have. One for a guest or link who may not see the object by the newest deeds has to
// be made anew with them; one whose rights have run out since is left away by [lasting].
func wrapped(f sealed.File, t *deed.Title, known latchkey.Head) error {
	b := f.Header.Binding
	if b.Head.Seq < t.HandedOver() {
		return refuse(http.StatusConflict, api.HandedOver, "This was recorded for those who lived here before. It is not taken any more.").with(t, known.Seq+1)
	}
	may := t.Recipients(b.Camera, b.Kind, b.Head.Seq, 0, true)
	newest := false
	for _, e := range f.Envelopes {
		if err := sealed.CheckEnvelope(f.Header, e, t); err != nil && sealed.ReasonOf(err) != sealed.OldEpoch {
			return objectRefusal(err)
		}
		if e.Recipient == sealed.ToEpoch {
			newest = newest || e.Epoch == t.Epoch()
		} else if !among(may, e) {
			return outdated(t, known)
		}
	}
	if !newest {
		return outdated(t, known)
	}
	return nil
}

func outdated(t *deed.Title, known latchkey.Head) error {
	return refuse(http.StatusConflict, api.OldEpoch, "Who may see the home has changed. Make the object's envelopes anew and come back.").with(t, known.Seq+1)
}

// among says whether an envelope is for one of these people.
func among(people []deed.Person, e sealed.Envelope) bool {
	return slices.ContainsFunc(people, func(p deed.Person) bool {
		return p.KEM.ID() == e.Key && (p.Role == deed.Link) == (e.Recipient == sealed.ToLink)
	})
}

// lasting leaves away the envelopes of those whose rights have run out.
func lasting(f sealed.File, t *deed.Title, now latchkey.Time) []sealed.Envelope {
	b := f.Header.Binding
	may := t.Recipients(b.Camera, b.Kind, b.Head.Seq, now, true)
	return slices.DeleteFunc(slices.Clone(f.Envelopes), func(e sealed.Envelope) bool {
		return e.Recipient != sealed.ToEpoch && !among(may, e)
	})
}

func stageRefusal(err error) error {
	switch {
	case errors.Is(err, blob.ErrDifferent):
		return different()
	case errors.Is(err, blob.ErrBusy):
		return refuse(http.StatusTooManyRequests, api.Busy, "This object is being uploaded at this moment.").after(2 * time.Second)
	}
	return err
}

// receive takes what there is of the body. What arrived is kept if the rest does not.
func (s *Server) receive(a *asking, staged blob.Staging, h sealed.Header, offset uint64, prefix int64) error {
	held := staged.Held()
	if offset != held {
		return offsetRefusal(held, "The upload goes on elsewhere.")
	}
	if rest := h.BodyLength - held; a.r.ContentLength >= 0 && uint64(a.r.ContentLength-prefix) > rest {
		return objectRefusal(sealed.Refuse(sealed.Trailing, "%d bytes follow, %d are missing", a.r.ContentLength-prefix, rest))
	}
	from := &sender{r: a.r.Body}
	for {
		a.allow(s.config.Patience, 2*s.config.Patience)
		n, err := io.CopyN(staged, from, piece)
		s.counters.bytes.Add(float64(n))
		if n > 0 {
			crash.Point("server.upload.part")
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF): // the sender's, and all before it was taken
			if staged.Held() < h.BodyLength {
				return offsetRefusal(staged.Held(), "The upload broke off.")
			}
			return nil
		case errors.Is(from.err, os.ErrDeadlineExceeded):
			return refuse(http.StatusRequestTimeout, api.Busy, "The upload stood still for too long. What arrived is kept.").after(time.Second)
		case from.err != nil && !errors.Is(from.err, io.EOF):
			return malformed("The upload broke off.") // nobody is there to read it
		default:
			return objectRefusal(err) // ours, or a body that is too long
		}
	}
}

// sender is a body on its way. It keeps its error, so that a sender who has gone is not
// taken for a disk that failed.
type sender struct {
	r   io.Reader
	err error
}

// Read is [io.Reader]'s.
func (s *sender) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.err = err
	return n, err
}

func offsetRefusal(held uint64, message string) *refusal {
	r := refuse(http.StatusConflict, api.Offset, message+" Send the body from byte "+strconv.FormatUint(held, 10)+" on.")
	r.offset = &held
	return r
}

// commit makes the blob durable under its name. If earlier attempts left damaged bytes
// the upload begins anew, and it is nobody's fault.
func commit(a *asking, staged blob.Staging, offset uint64) error {
	end := a.server.strains.blobs.Begin()
	err := staged.Commit(a.r.Context())
	end()
	switch {
	case sealed.ReasonOf(err) == sealed.WrongHash && offset > 0:
		return offsetRefusal(0, "What was uploaded before is damaged.")
	case sealed.ReasonOf(err) != "":
		return objectRefusal(err)
	}
	return err
}

// index makes the row, with the head and epoch that the object was checked by. If the
// home moved on meanwhile it is checked again.
func (s *Server) index(a *asking, f sealed.File) error {
	for range 8 {
		t := a.title
		end := s.strains.archive.Begin()
		err := s.config.Archive.Objects.Index(a.r.Context(), archive.Entry{
			Head: t.Head(), Epoch: t.Epoch(), Header: f.Header, Envelopes: lasting(f, t, timeOf(s.now())),
			Stored: timeOf(s.now()), MaxBytes: s.config.MaxHomeBytes,
		})
		end()
		switch {
		case errors.Is(err, archive.ErrDifferent):
			return different()
		case errors.Is(err, archive.ErrDeleted):
			return deletedObject()
		case errors.Is(err, archive.ErrTooMany):
			return refuse(http.StatusTooManyRequests, api.TooMany, "The home has stored as much as it may. Its owner has to delete something, or its operator to allow more.").after(10 * time.Minute)
		case !errors.Is(err, archive.ErrConflict):
			return err
		}
		if a.title, err = s.titles.of(a.r.Context(), a.home); err != nil {
			return err
		}
		if err := s.fit(a, f); err != nil {
			return err
		}
	}
	return busy(time.Second)
}

// places bounds what goes on at once for each home, or whatever else has a key.
type places[K comparable] struct {
	most int

	mu    sync.Mutex // protects taken
	taken map[K]int
}

func newPlaces[K comparable](most int) *places[K] { return &places[K]{most: most, taken: map[K]int{}} }

// enter takes a place, if there is one, until leave is called.
func (p *places[K]) enter(key K) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[key] >= p.most {
		return nil, false
	}
	p.taken[key]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.taken[key]--; p.taken[key] == 0 {
			delete(p.taken, key)
		}
	}, true
}
