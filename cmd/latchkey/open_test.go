package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// TestOpenScript runs testdata/open.txt among the exports of two homes.
func TestOpenScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/open.txt"},
		Setup: func(env *testscript.Env) error { return exports(env.WorkDir) },
	})
}

// exports writes what two homes have exported into dir: their key files, and a
// thumbnail in several conditions.
func exports(dir string) error {
	owner, neighbour := keytest.NewOwner(), keytest.NewOwner()
	owner.Found()
	neighbour.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	before := &key.Home{Title: owner.Title(), Ring: owner.Ring()}
	thumbnail := agent.Object(owner.Title(), camera, latchkey.Thumbnail, bytes.Repeat([]byte("picture "), 4000))
	owner.PlaceCamera(agent)
	newer := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("picture"))
	damaged := bytes.Clone(thumbnail.Bytes())
	damaged[len(damaged)-100] ^= 1
	bare := thumbnail
	bare.File.Envelopes = nil
	for name, b := range map[string][]byte{
		"front.latchkey": thumbnail.Bytes(), "newer.latchkey": newer.Bytes(),
		"damaged.latchkey": damaged, "bare.latchkey": bare.Bytes(), "other.txt": []byte("a letter that is no object"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "front.jpg.want"), bytes.Repeat([]byte("picture "), 4000), 0o600); err != nil {
		return err
	}
	if err := before.Save(filepath.Join(dir, "home.key")); err != nil {
		return err
	}
	other := &key.Home{Title: neighbour.Title(), Ring: neighbour.Ring()}
	return other.Save(filepath.Join(dir, "neighbour.key"))
}
