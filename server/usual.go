package server

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// usualFile keeps what is usual at a server, for when it starts again. It is a hint: without it,
// and if it cannot be read, the server begins slowly.
const usualFile = "usual.json"

// usualEvery is how often it is written.
const usualEvery = time.Minute

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

// keepUsual writes it now and then, until the server is closed, and then once more.
func (l *Local) keepUsual(log *slog.Logger) {
	t := time.NewTicker(usualEvery)
	defer t.Stop()
	for open := true; open; {
		select {
		case <-t.C:
		case <-l.ending.Done():
			open = false
		}
		b, err := json.Marshal(l.server.Usual())
		if err == nil {
			err = durable.WriteBytes(l.folders[0], usualFile, b)
		}
		if err != nil {
			log.Warn("what is usual at this server cannot be written", "file", usualFile, "error", err)
		}
	}
}
