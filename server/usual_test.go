package server_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/server"
)

// TestUsual: a server begins at the pace that was usual at the one before it. What says so is
// a hint: if it is missing, or nonsense, the server begins slowly, and writes it anew.
func TestUsual(t *testing.T) {
	for name, c := range map[string]struct {
		file   string
		pace   float64
		agents int
		warns  bool
	}{
		"there is none":           {"", 100, 0, false},
		"it is known":             {`{"pace":777,"agents":4321}`, 777, 4321, false},
		"more than is begun with": {`{"pace":1e9,"agents":1}`, 5000, 1, false},
		"less than is let in":     {`{"pace":0.001,"agents":0}`, 20, 0, false},
		"no JSON":                 {"pace", 100, 0, true},
		"less than nothing":       {`{"pace":-1,"agents":5}`, 100, 0, true},
		"more than can be":        {`{"pace":10,"agents":99999999999}`, 100, 0, true},
		"as long as a book":       {`{"pace":10,"agents":5,"x":"` + strings.Repeat("x", 2000) + `"}`, 100, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "usual.json")
			if c.file != "" {
				must(0, os.WriteFile(file, []byte(c.file), 0o600))
			}
			var said bytes.Buffer
			l := must(server.Run(t.Context(), server.LocalConfig{Data: folder, Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(&said, nil))}))
			pace := 0.
			for _, f := range must(l.Metrics().Gather()) {
				if f.GetName() == "latchkey_gate_pace" {
					pace = f.GetMetric()[0].GetGauge().GetValue()
				}
			}
			must(0, l.Close())
			if pace < c.pace*0.6 || pace > c.pace { // which may have been under strain since
				t.Errorf("it begins with a pace of %v, want %v", pace, c.pace)
			}
			if warned := strings.Contains(said.String(), "begins slowly"); warned != c.warns {
				t.Errorf("warned: %t, want %t: %s", warned, c.warns, &said)
			}
			var kept server.Usual
			must(0, json.Unmarshal(must(os.ReadFile(file)), &kept))
			if kept.Agents != c.agents || kept.Pace < 20 || kept.Pace > 5000 {
				t.Errorf("it keeps %+v", kept)
			}
		})
	}
}
