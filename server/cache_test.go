package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// TestCacheBeside: what is kept in a Redis outlives a restart and a change of the key,
// but not two of them.
func TestCacheBeside(t *testing.T) {
	data := t.TempDir()
	c := server.LocalConfig{
		Data: data, Listen: "127.0.0.1:0", Metrics: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Cache: server.CacheConfig{Server: "redis://" + startRedis(t)},
	}
	owner := keytest.NewOwner()
	device, key := owner.Device()
	var member *api.Home
	for _, tt := range []struct {
		restarted string
		rotated   int
		known     bool // what was kept before
	}{{"for the first time", 0, false}, {"with the same key", 0, true}, {"with another key", 1, true}, {"with a third", 2, false}} {
		for range tt.rotated {
			if err := server.RotateCacheKey(data); err != nil {
				t.Fatal(err)
			}
		}
		l := must(server.Run(t.Context(), c))
		if member == nil {
			client := must(api.NewClient(l.Origin, nil))
			must(client.Found(t.Context(), must(l.MintSetup(t.Context())), owner.Found()))
			member = must(client.SignIn(t.Context(), owner.Home(), device, key, owner.Title().Head()))
		}
		r := must(http.NewRequestWithContext(t.Context(), "GET", l.Origin+"/v1/homes/"+owner.Home().String()+"/deeds", nil))
		prove(member, r)
		answer := must(http.DefaultClient.Do(r))
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("%s: %s", tt.restarted, answer.Status)
		}
		metrics := must(http.Get(l.MetricsURL))
		text := string(must(io.ReadAll(metrics.Body)))
		metrics.Body.Close()
		if known := !strings.Contains(text, `latchkey_cache_reads_total{outcome="hit",tier="valkey"} 0`); known != tt.known {
			t.Errorf("%s: what was kept before is known: %t", tt.restarted, known)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	info := must(os.Stat(filepath.Join(data, "cache.key")))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the keys' file has mode %v", info.Mode())
	}
	for _, file := range backUp(t, data, t.TempDir()).Files {
		if strings.HasSuffix(file.Name, "cache.key") {
			t.Error("the backup has the cache's keys")
		}
	}
	secret := server.CacheConfig{Password: "x1y2"}
	if said := fmt.Sprintf("%v %+v %#v", secret, secret, secret); strings.Contains(said, "x1y2") {
		t.Errorf("the password is shown: %s", said)
	}
}
