// Package sabotage builds Latchkey with one of its checks removed. A security test has
// a control: the same test, run against a program that lacks the check, must fail, or
// the test proves nothing. The check is removed by text, through the Go command's
// -overlay, so that the real source holds no switch that turns a check off.
package sabotage

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Cut is one piece of source to replace.
type Cut struct {
	File string // below the module's root, slash-separated
	Old  string // must stand in the file exactly once
	New  string
}

// Overlay writes the altered copies of the files and the overlay's description into dir
// and returns the description's path, for "go build -overlay". The module's root is
// root. It is an error if an Old does not stand exactly once: then the source has moved
// on and the control would silently be none.
func Overlay(root, dir string, cuts ...Cut) (string, error) {
	replace := map[string]string{}
	for i, cut := range cuts {
		original, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(cut.File)))
		if err != nil {
			return "", fmt.Errorf("overlay %s: %w", cut.File, err)
		}
		current := original
		if altered, ok := replace[original]; ok {
			current = altered
		}
		src, err := os.ReadFile(current)
		if err != nil {
			return "", fmt.Errorf("overlay %s: %w", cut.File, err)
		}
		if n := strings.Count(string(src), cut.Old); n != 1 {
			return "", fmt.Errorf("overlay %s: %q stands in it %d times, want once", cut.File, cut.Old, n)
		}
		altered := filepath.Join(dir, fmt.Sprintf("%d_%s", i, filepath.Base(cut.File)))
		if err := os.WriteFile(altered, []byte(strings.Replace(string(src), cut.Old, cut.New, 1)), 0o600); err != nil {
			return "", fmt.Errorf("overlay %s: %w", cut.File, err)
		}
		replace[original] = altered
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	return file, nil
}
