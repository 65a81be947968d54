package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// TestJoinAmongLies joins at something that answers as no honest server does.
func TestJoinAmongLies(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	secret := api.NewJoinSecret()
	announce := func(ago time.Duration) []byte {
		at := latchkey.TimeOf(time.Now().Add(-ago))
		return secret.Announce(api.Announcement{Home: owner.Home(), Head: owner.Title().Head(), Expires: at})
	}
	slot := func(w io.Writer, announcement []byte) {
		json.NewEncoder(w).Encode(api.JoinSlot{Slot: secret.Slot(), Announcement: announcement})
	}
	for name, lie := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		link   bool   // whether the link is at fault, for good
		says   string // part of the error, if there is one in time
	}{
		"expired": {func(w http.ResponseWriter, r *http.Request) { slot(w, announce(time.Second)) }, true, "clock"},
		"cut":     {func(w http.ResponseWriter, r *http.Request) { slot(w, announce(-time.Hour)[:50]) }, true, "not made with this link"},
		"altered": {func(w http.ResponseWriter, r *http.Request) { a := announce(-time.Hour); a[3] ^= 1; slot(w, a) }, true, "not made with this link"},
		"empty":   {func(w http.ResponseWriter, r *http.Request) { slot(w, nil) }, true, "not made with this link"},
		"another slot": {func(w http.ResponseWriter, r *http.Request) {
			json.NewEncoder(w).Encode(api.JoinSlot{Announcement: announce(-time.Hour)})
		}, false, ""},
		"another request": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(api.HeaderRequest, "x")
			slot(w, announce(-time.Hour))
		}, false, ""},
		"a page":          {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, false, ""},
		"another version": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"v":9}`) }, false, "like version"},
		"an endless answer": {func(w http.ResponseWriter, r *http.Request) {
			for range 5 << 10 {
				w.Write(make([]byte, 1<<10))
			}
		}, false, ""},
		"gone": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			puts := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					puts++
				}
				w.Header().Set(api.HeaderRequest, r.Header.Get(api.HeaderRequest))
				lie.answer(w, r)
			}))
			defer s.Close()
			ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer stop()
			link := api.Link{Origin: s.URL, Secret: secret}
			_, err := agent.Join(ctx, agent.JoinConfig{Folder: t.TempDir(), Link: link.Text(), Retry: 10 * time.Millisecond})
			if err == nil || errors.Is(err, agent.ErrLink) != lie.link || !strings.Contains(err.Error(), lie.says) {
				t.Errorf("joined with %v", err)
			}
			if puts > 0 {
				t.Error("the agent answered")
			}
			if err != nil && strings.Contains(err.Error(), secret.Text()) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}
