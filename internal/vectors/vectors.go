// Package vectors reads the vectors of a format, which were written in two languages,
// for its tests.
package vectors

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Read returns the vectors in testdata/vectors/go and testdata/vectors/ts, and how many
// each language wrote, which the caller compares with what there should be: a folder
// that is empty proves nothing. The place of a vector's name is given by name; the
// language is put before it.
func Read[V any](t testing.TB, name func(*V) *string) (all []V, by map[string]int) {
	t.Helper()
	by = map[string]int{}
	for _, language := range []string{"go", "ts"} {
		files, err := filepath.Glob("testdata/vectors/" + language + "/*.json")
		if err != nil {
			t.Fatal(err)
		}
		by[language] = len(files)
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v V
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			*name(&v) = language + "/" + *name(&v)
			all = append(all, v)
		}
	}
	return all, by
}
