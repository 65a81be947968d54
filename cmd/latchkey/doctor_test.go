package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/server"
)

// TestDoctor: what is well is said, and what is not, with what to do about it.
func TestDoctor(t *testing.T) {
	folder := t.TempDir() + "/server"
	l, err := server.Run(t.Context(), server.LocalConfig{
		Data: folder, Listen: "127.0.0.1:0", Certificate: server.CertificateConfig{Own: true, Names: []string{"127.0.0.1"}},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	doctor := func(args ...string) (code int, out string) {
		var b bytes.Buffer
		code = run(t.Context(), append([]string{"doctor"}, args...), &terminal{strings.NewReader(""), &b, &b})
		return code, b.String()
	}
	readable := t.TempDir() + "/readable"
	if err := os.Mkdir(readable, 0o755); err != nil {
		t.Fatal(err)
	}
	there := []string{"--server", l.Origin}
	checks := []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"a machine", nil, 0, []string{`(?m)^(well|look)  clock `, `(?m)^(well|look)  open files `}},
		{"a server's folder", []string{"--data", folder}, 0, []string{`(?m)^well  folder .* is its owner's alone$`, `(?m)^(well|look)  disk `, `(?m)^well  server .*latchkey server check`}},
		{"a folder that others can read", []string{"--data", readable}, 1, []string{`(?m)^ill   folder .*can be read by others.*\n +chmod 700 `, `(?m)^ill   folder .*neither a server's folder nor an agent's`, `something is ill`}},
		{"a server that is there", there, 0, []string{`(?m)^look  certificate .*does not know who vouches for it`, `(?m)^well  server .*it goes on$`, `(?m)^well  server .*it is ready$`}},
		{"a name of nobody", []string{"--server", "https://nowhere.invalid"}, 1, []string{`(?m)^ill   name `}},
		{"no address", []string{"--server", "nonsense"}, 1, []string{`is no server's address`}},
		{"no folder", []string{"--data", folder + "/nowhere"}, 1, []string{`no such file`}},
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			code, out := doctor(c.args...)
			for _, want := range c.want {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("it does not say %s:\n%s", want, out)
				}
			}
			if code != c.code {
				t.Errorf("it ends with %d, want %d:\n%s", code, c.code, out)
			}
		})
	}
	t.Run("as JSON", func(t *testing.T) {
		_, out := doctor("--data", folder, "--json")
		var all struct{ Findings []finding }
		if err := json.Unmarshal([]byte(out), &all); err != nil || len(all.Findings) < 5 {
			t.Errorf("%d findings, %v:\n%s", len(all.Findings), err, out)
		}
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if code, out := doctor(there...); code != 1 || !strings.Contains(out, "it cannot be reached") {
		t.Errorf("of a server that is gone: %d\n%s", code, out)
	}
	if entries, err := os.ReadDir(folder); err != nil || strings.Contains(strings.Join(names(entries), " "), "doctor") {
		t.Errorf("it leaves something behind: %v %v", names(entries), err)
	}
}

func names(entries []os.DirEntry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
