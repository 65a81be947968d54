package agent_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/server"
)

// TestOwnCertificate: an agent joins a server that made its certificate itself by the
// fingerprint in the link, and goes on by it after a restart. The controls are a link
// without the fingerprint and one with another.
func TestOwnCertificate(t *testing.T) {
	h := newHouse(t)
	own, err := server.Run(h.ctx, server.LocalConfig{
		Data: filepath.Join(t.TempDir(), "own"), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Certificate: server.CertificateConfig{Own: true, Names: []string{"127.0.0.1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close() })
	client := uplink.NewHTTP(certificate.Trust(own.Own.Fingerprint(), "127.0.0.1"))
	answer, err := client.Get(own.Origin + "/v1/health")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var health api.Health
	if err := json.NewDecoder(answer.Body).Decode(&health); err != nil || health.Trust != own.Own.Fingerprint().String() {
		t.Fatalf("the server says to trust %q, %v", health.Trust, err)
	}
	setup, err := own.MintSetup(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if h.owner, err = found(h.ctx, own.Origin, setup, client); err != nil {
		t.Fatal(err)
	}
	link, announcement, err := h.owner.announce(h.ctx, api.NewJoinSecret())
	if err != nil {
		t.Fatal(err)
	}
	for _, trust := range []string{"", strings.Repeat("ab", 32)} {
		link.Trust = trust
		_, err := agent.Join(h.ctx, agent.JoinConfig{Folder: filepath.Join(t.TempDir(), "agent"), Link: link.Text(), Retry: 20 * time.Millisecond})
		if trust == "" && (err == nil || !strings.Contains(err.Error(), "copy the join link from its page again")) {
			t.Errorf("without a fingerprint: %v", err)
		} else if trust != "" && !errors.Is(err, certificate.ErrOther) {
			t.Errorf("with another fingerprint: %v, want %v", err, certificate.ErrOther)
		}
	}
	placed := make(chan error, 1)
	go func() {
		_, err := h.owner.place(h.ctx, link, announcement)
		placed <- err
	}()
	link.Trust = health.Trust
	if _, err := agent.Join(h.ctx, agent.JoinConfig{Folder: h.folder, Link: link.Text(), Retry: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if err := <-placed; err != nil {
		t.Fatal(err)
	}
	a, stop := h.run(agent.Config{})
	h.until("the agent is connected", func() bool { return a.Status().Uplink.State == uplink.Connected })
	if err := stop(); err != nil {
		t.Error(err)
	}
}
