package vault

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/key"
)

// The limits of a content, which are the browser's (web/src/account/content.ts).
const (
	maxHomes = 4096
	maxName  = 64
	maxHead  = 128
	seedSize = 32
)

// Home is a home in a vault, with the person's keys in it. The keys have no device: each
// browser makes its own.
type Home struct {
	ID   latchkey.HomeID
	Name string // what it was called when one of the person's devices had it open last; may be empty
	Head latchkey.Head
	Keys *key.PersonKeys
	// Next are the keys that take their place once a deed on its way stands in the
	// chain; nil if there is none.
	Next *key.PersonKeys
	// Invited says that nobody has admitted the person yet.
	Invited bool
}

// Homes reads which homes are in a vault's content. Members that it does not know are a
// later version's.
func Homes(content string) ([]Home, error) {
	o, err := fields.Parse([]byte(content))
	if err != nil {
		return nil, err
	}
	if v := o.Count("v"); o.Err() == nil && v != 1 {
		return nil, fmt.Errorf("content of version %d", v)
	}
	var all []Home
	for _, h := range o.List("homes", maxHomes) {
		home, err := readHome(h)
		if err != nil {
			return nil, err
		}
		all = append(all, home)
	}
	return all, o.Err()
}

func readHome(o fields.Object) (h Home, err error) {
	if h.ID, err = latchkey.ParseHomeID(o.Text("home", maxName)); err != nil {
		return h, err
	}
	if h.Head, err = latchkey.ParseHead(o.Text("head", maxHead)); err != nil {
		return h, err
	}
	if h.Keys, err = readKeys(o); err != nil {
		return h, err
	}
	if o.Has("next") {
		if h.Next, err = readKeys(o.Object("next")); err != nil {
			return h, err
		}
	}
	if o.Has("invited") {
		h.Invited = o.Bool("invited")
	}
	if o.Has("name") {
		h.Name = o.Text("name", maxName)
	}
	return h, o.Err()
}

// readKeys reads the seeds of a person's keys. No error of it quotes one.
func readKeys(o fields.Object) (*key.PersonKeys, error) {
	person, err := latchkey.ParsePersonID(o.Text("person", maxName))
	if err != nil {
		return nil, err
	}
	signing, kem := o.Bytes("signing", seedSize), o.Bytes("kem", seedSize)
	if err := o.Err(); err != nil {
		return nil, err
	}
	if len(signing) != seedSize || len(kem) != seedSize {
		return nil, errors.New("no keys of a person")
	}
	private, err := key.PrivateFromSeed(kem)
	if err != nil {
		return nil, err
	}
	return &key.PersonKeys{Person: person, Signing: ed25519.NewKeyFromSeed(signing), KEM: private}, nil
}
