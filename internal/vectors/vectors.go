// Package vectors reads the vectors of a format, which were written in two languages,
// for its tests, and writes those of this one.
package vectors

import (
	"bytes"
	"encoding/json"
	"flag"
	"hash/fnv"
	"os"
	"path/filepath"
	"testing"
	"testing/cryptotest"
)

var write = flag.Bool("write", false, "write the homes and vectors that are missing in testdata")

// Missing says whether a file of testdata is to be written: it is not there, and the
// tests run with -write.
func Missing(path string) bool {
	_, err := os.Stat(path)
	return err != nil && Writing()
}

// Writing says whether the tests run with -write.
func Writing() bool { return *write }

// Write writes the vector of that name if it is [Missing]. Randomness is fixed while it
// is made.
func Write[V any](t *testing.T, name string, made func(t *testing.T) V) {
	t.Helper()
	path := filepath.Join("testdata/vectors/go", name+".json")
	if !Missing(path) {
		return
	}
	t.Run(name, func(t *testing.T) {
		seed := fnv.New64a()
		seed.Write([]byte(name))
		cryptotest.SetGlobalRandom(t, seed.Sum64())
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "\t")
		if err := e.Encode(made(t)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}

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
