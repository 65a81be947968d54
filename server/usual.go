package server

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// usualFile keeps what is usual at a server, for when it starts again. It is a hint: without it,
// and if it cannot be read, the server begins slowly.
const usualFile = "usual.json"

const (
	// usualEvery is how often it is looked whether it has changed.
	usualEvery = 10 * time.Second
	// usualBy is by what part something has to be another to be written.
	usualBy = 0.2
)

func readUsual(data durable.FS, log *slog.Logger) (u Usual) {
	b, err := durable.ReadBytes(data, usualFile, 1000)
	if err == nil {
		err = json.Unmarshal(b, &u)
	}
	if err == nil && (!(u.Pace >= 0) || u.Agents < 0 || u.Agents > maxConnections) {
		err = errors.New("numbers that cannot be")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("what was usual at this server cannot be read, and it begins slowly", "file", usualFile, "error", err)
	}
	if err != nil {
		return Usual{}
	}
	return u
}

// look begins to note what is usual, and to show whom the listener keeps out.
func (l *Local) look(log *slog.Logger) {
	l.server.counters.registry.MustRegister(l.crowd.counter())
	l.notes.Go(func() { l.keepUsual(log) })
}

// keepUsual writes it when it has changed, until the server is closed, and then once more.
func (l *Local) keepUsual(log *slog.Logger) {
	t := time.NewTicker(usualEvery)
	defer t.Stop()
	var kept Usual
	for open := true; open; {
		select {
		case <-t.C:
		case <-l.ending.Done():
			open = false
		}
		now := l.server.Usual()
		if open && near(now.Pace, kept.Pace) && near(float64(now.Agents), float64(kept.Agents)) {
			continue
		}
		kept = now
		b, err := json.Marshal(now)
		if err == nil {
			err = durable.WriteBytes(l.folders[0], usualFile, b)
		}
		if err != nil {
			log.Warn("what is usual at this server cannot be written", "file", usualFile, "error", err)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= usualBy*max(a, b) }
