package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// marker says that a folder is a demo's, to be emptied at the next start.
const marker = "latchkey-demo"

// clear makes dir an empty folder of the demo's. It removes what an earlier demo left
// and refuses a folder that holds anything else.
func clear(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look into the demo's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil && len(entries) > 0 {
		return fmt.Errorf("the folder %s holds something that no demo put there, and the demo empties its folder: choose another with --dir", dir)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty the demo's folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	text := "This folder belongs to latchkey demo, which empties it at its next start.\n"
	if err := os.WriteFile(filepath.Join(dir, marker), []byte(text), 0o600); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	return nil
}
