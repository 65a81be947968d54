package archivetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// reveals follows the slot of a person who was invited.
func reveals(t *testing.T, s Subject) {
	j := archive.Join{Home: home(1), Slot: api.Slot{1}, Person: true, Announcement: []byte("announced"), Expires: Now + 10, Answer: []byte{}, Reveal: []byte{}}
	must(t, s.Joins.OpenJoin(t.Context(), j, Now))
	agent := j
	agent.Person = false
	want(t, "the slot for an agent", s.Joins.OpenJoin(t.Context(), agent, Now), archive.ErrUsed)
	want(t, "a reveal before the answer", s.Joins.RevealJoin(t.Context(), home(1), j.Slot, []byte("r")), archive.ErrUsed)
	must(t, s.Joins.AnswerJoin(t.Context(), j.Slot, []byte("a"), Now))
	want(t, "another home's reveal", s.Joins.RevealJoin(t.Context(), home(2), j.Slot, []byte("r")), archive.ErrNotFound)
	want(t, "a reveal in no slot", s.Joins.RevealJoin(t.Context(), home(1), api.Slot{2}, []byte("r")), archive.ErrNotFound)
	for range 2 {
		want(t, "a reveal", s.Joins.RevealJoin(t.Context(), home(1), j.Slot, []byte("r")), nil)
	}
	want(t, "another reveal", s.Joins.RevealJoin(t.Context(), home(1), j.Slot, []byte("x")), archive.ErrUsed)
	j.Answer, j.Reveal = []byte("a"), []byte("r")
	if got, err := s.Joins.Join(t.Context(), j.Slot); !cmp.Equal(got, j) || err != nil {
		t.Errorf("revealed slot %v, %v", got, err)
	}
	must(t, s.Joins.CloseJoin(t.Context(), home(2), j.Slot))
	_, err := s.Joins.Join(t.Context(), j.Slot)
	want(t, "after another home closed it", err, nil)
	must(t, s.Joins.CloseJoin(t.Context(), home(1), j.Slot))
	_, err = s.Joins.Join(t.Context(), j.Slot)
	want(t, "after it was closed", err, archive.ErrNotFound)
}
