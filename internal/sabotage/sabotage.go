// Package sabotage builds Latchkey with one of its checks removed. A security test has
// a control: the same test, run against a program that lacks the check, must fail, or
// the test proves nothing. The check is removed by text, through the Go command's
// -overlay, so that the real source holds no switch that turns a check off. The controls of
// one package share a [Program], which is built once and has a switch for each of them.
package sabotage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
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
	altered := map[string][]byte{}
	for _, cut := range cuts {
		src, ok := altered[cut.File]
		if !ok {
			var err error
			if src, err = os.ReadFile(filepath.Join(root, filepath.FromSlash(cut.File))); err != nil {
				return "", fmt.Errorf("overlay %s: %w", cut.File, err)
			}
		}
		if n := bytes.Count(src, []byte(cut.Old)); n != 1 {
			return "", fmt.Errorf("overlay %s: %q stands in it %d times, want once", cut.File, cut.Old, n)
		}
		altered[cut.File] = bytes.Replace(src, []byte(cut.Old), []byte(cut.New), 1)
	}
	return Replace(root, dir, altered)
}

// Replace is [Overlay] for files that were altered otherwise: by their names below root,
// what stands in them instead. A file that is not there is added.
func Replace(root, dir string, files map[string][]byte) (string, error) {
	replace := map[string]string{}
	for name, src := range files {
		original, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return "", fmt.Errorf("overlay %s: %w", name, err)
		}
		altered := filepath.Join(dir, fmt.Sprintf("%d_%s", len(replace), path.Base(name)))
		if err := os.WriteFile(altered, src, 0o600); err != nil {
			return "", fmt.Errorf("overlay %s: %w", name, err)
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
