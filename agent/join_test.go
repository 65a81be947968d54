package agent_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// sentences collects what a join says while it waits.
type sentences struct {
	mu  sync.Mutex // protects all
	all []string
}

func (s *sentences) add(sentence string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sentence)
}

func (s *sentences) has(part string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(strings.Join(s.all, "\n"), part)
}

// TestJoinBeforeThereIsAHome is the set-up link's way: the agent is given a secret,
// waits until a browser has founded the home and opened the slot, and is taken in.
func TestJoinBeforeThereIsAHome(t *testing.T) {
	h := newHouse(t)
	secret := api.NewJoinSecret()
	link := api.Link{Origin: h.server.Origin, Secret: secret}
	var said sentences
	joined := make(chan error, 1)
	go func() {
		_, err := agent.Join(h.ctx, agent.JoinConfig{Folder: h.folder, Link: link.Text(), Progress: said.add, Retry: 10 * time.Millisecond})
		joined <- err
	}()
	h.until("it says that it waits", func() bool { return said.has("Waiting for the home to be set up") })
	_, announcement, err := h.owner.announce(h.ctx, secret)
	if err != nil {
		t.Fatal(err)
	}
	h.until("it says that the owner must say yes", func() bool { return said.has("Waiting for the home's owner") })
	if _, err := h.owner.place(h.ctx, link, announcement); err != nil {
		t.Fatal(err)
	}
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	a, _ := h.run(agent.Config{})
	h.until("it is connected", func() bool { return drained(a) })
	if _, err := agent.Join(h.ctx, agent.JoinConfig{Folder: h.folder, Link: link.Text()}); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("join while it runs: %v", err)
	}
}

// TestJoinGoesOn breaks a join off while it waits for the owner, and goes on with it.
func TestJoinGoesOn(t *testing.T) {
	h := newHouse(t)
	link, announcement, err := h.owner.announce(h.ctx, api.NewJoinSecret())
	if err != nil {
		t.Fatal(err)
	}
	var said sentences
	join := func(ctx context.Context) error {
		_, err := agent.Join(ctx, agent.JoinConfig{Folder: h.folder, Link: link.Text(), Progress: said.add, Retry: 10 * time.Millisecond})
		return err
	}
	first, stop := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- join(first) }()
	h.until("it waits for the owner", func() bool { return said.has("Waiting for the home's owner") })
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("broken off with %v", err)
	}
	if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); !errors.Is(err, agent.ErrNotJoined) || !strings.Contains(err.Error(), "same link") {
		t.Errorf("run in between: %v", err)
	}
	if _, err := h.owner.place(h.ctx, link, announcement); err != nil {
		t.Fatal(err)
	}
	if err := join(h.ctx); err != nil {
		t.Errorf("gone on with: %v", err)
	}
	if err := join(h.ctx); !errors.Is(err, agent.ErrJoined) {
		t.Errorf("joined again: %v", err)
	}
	_, stopAgent := h.run(agent.Config{})
	if err := stopAgent(); err != nil {
		t.Error(err)
	}
	secretIsNowhere(t, h.folder, link)
}

// secretIsNowhere looks for the link's secret in all that the agent keeps.
func secretIsNowhere(t *testing.T, folder string, link api.Link) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(link.Secret.Text())) || bytes.Contains(b, link.Secret[:]) {
			t.Errorf("%s holds the link's secret", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestJoinRefuses links and answers that do not belong together, says so without the
// secret, and leaves no identity behind.
func TestJoinRefuses(t *testing.T) {
	h := newHouse(t)
	neighbour := keytest.NewOwner()
	neighbour.Found()
	otherHome, otherHead := neighbour.Home(), neighbour.Title().Head()
	open := func() api.Link {
		link, _, err := h.owner.announce(h.ctx, api.NewJoinSecret())
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	// announced opens the slot of one secret with what another secret proves.
	announced := func(slot, by api.JoinSecret, expires time.Duration) {
		at := latchkey.TimeOf(time.Now().Add(expires))
		a := by.Announce(api.Announcement{Home: h.owner.Home(), Head: h.owner.Title().Head(), Expires: at})
		if err := h.owner.home.OpenJoin(h.ctx, slot.Slot(), a, at); err != nil {
			t.Fatal(err)
		}
	}
	for name, make := range map[string]func() string{
		"nothing":         func() string { return "" },
		"no link":         func() string { return "hello" },
		"another site":    func() string { return "https://example.org/" },
		"half a link":     func() string { text := open().Text(); return text[:strings.Index(text, "join=")+20] },
		"a set-up link":   func() string { return h.server.Origin + "/#setup=ABCDEFGHIJKLMNOP" },
		"another home's":  func() string { l := open(); l.Home = &otherHome; return l.Text() },
		"another head's":  func() string { l := open(); l.Head = &otherHead; return l.Text() },
		"an unknown slot": func() string { l := open(); l.Secret = api.NewJoinSecret(); return l.Text() },
		"a slot that was opened by somebody else": func() string {
			l := open()
			l.Secret = api.NewJoinSecret()
			announced(l.Secret, api.NewJoinSecret(), time.Minute)
			return l.Text()
		},
		"used": func() string {
			l, a, err := h.owner.announce(h.ctx, api.NewJoinSecret())
			if err != nil {
				t.Fatal(err)
			}
			go h.owner.place(h.ctx, l, a)
			other := filepath.Join(t.TempDir(), "first")
			if _, err := agent.Join(h.ctx, agent.JoinConfig{Folder: other, Link: l.Text(), Retry: 10 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
			return l.Text()
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "agent")
			text := make()
			ctx, stop := context.WithTimeout(h.ctx, 10*time.Second)
			defer stop()
			_, err := agent.Join(ctx, agent.JoinConfig{Folder: folder, Link: text, Retry: 10 * time.Millisecond})
			if !errors.Is(err, agent.ErrLink) {
				t.Errorf("joined with %v", err)
			}
			if link, parseErr := api.ParseLink(text); parseErr == nil && err != nil && strings.Contains(err.Error(), link.Secret.Text()) {
				t.Errorf("the error holds the secret: %v", err)
			}
			if _, err := agent.New(h.ctx, agent.Config{Folder: folder}); !errors.Is(err, agent.ErrNotJoined) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestJoinServerAway: a server that is not there yet is waited for.
func TestJoinServerAway(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	var said sentences
	ended := make(chan error, 1)
	link := api.Link{Origin: "http://" + freeAddress(t), Secret: api.NewJoinSecret()}
	waiting, cancel := context.WithCancel(ctx)
	go func() {
		_, err := agent.Join(waiting, agent.JoinConfig{Folder: t.TempDir(), Link: link.Text(), Progress: said.add, Retry: 10 * time.Millisecond})
		ended <- err
	}()
	for !said.has("cannot be reached") {
		if ctx.Err() != nil {
			t.Fatal("it does not say that the server cannot be reached")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// FuzzLink: whatever is pasted, it is a link or is refused without a panic, and what
// is taken is written back as something that means the same.
func FuzzLink(f *testing.F) {
	seeds, err := filepath.Glob("testdata/fuzz/FuzzLink/*")
	if err != nil || len(seeds) < 6 {
		f.Fatalf("%d seeds in testdata, %v; want at least 6", len(seeds), err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := api.ParseLink(text)
		if err != nil {
			return
		}
		again, err := api.ParseLink(l.Text())
		if err != nil || again.Text() != l.Text() || again.Secret != l.Secret {
			t.Errorf("%q is a link and is written as %q, %v", text, l.Text(), err)
		}
		if strings.Contains(l.String(), l.Secret.Text()) {
			t.Error("the link prints its secret")
		}
	})
}
