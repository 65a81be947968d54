package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The stream: 500,000 bytes in a group of 30 pictures.
const (
	rate      = 15 // pictures a second
	group     = 30
	keySize   = 65_000
	otherSize = 15_000
)

var (
	stream = sealed.Stream{Home: latchkey.HomeID{1}, Camera: latchkey.CameraID{1}, Kind: sealed.MainStream}
	agent  = latchkey.AgentID{1}
	run    = latchkey.RunID{1}
)

// noise is what the pictures are made of.
func noise() []byte {
	b := make([]byte, keySize)
	rand.Read(b) // never fails: it ends the process instead
	return b
}

func isKey(n uint32) bool { return n%group == 1 }

func size(n uint32) int {
	if isKey(n) {
		return keySize
	}
	return otherSize
}

// fragment is the n-th of the stream, made now. Nobody here has a key to open it.
func fragment(n uint32, noise []byte) []byte {
	f := sealed.Fragment{
		Stream: stream, Run: run, Sequence: n, Key: isKey(n), Time: latchkey.TimeOf(time.Now()),
		Sealed: noise[:size(n)], Signatures: [][]byte{noise[:64]},
	}
	return f.Bytes()
}

// film calls send for each picture, from 1 on, so many times as fast as a camera.
func film(ctx context.Context, times int, send func(n uint32) error) error {
	began := time.Now()
	for n := uint32(1); ; n++ {
		if err := send(n); err != nil {
			return err
		}
		next := began.Add(time.Duration(n) * time.Second / time.Duration(rate*times))
		if pause(ctx, time.Until(next)) != nil {
			return nil
		}
	}
}

// knock and grant are what lets one in, sealed to nobody.
func knock(nonce [16]byte) []byte {
	k := sealed.Knock{Stream: stream, Agent: agent, Nonce: nonce, Time: 1, Expires: 2, Parcel: parcel(sealed.ToAgent)}
	return k.Bytes()
}

func grant(k sealed.Knock) []byte {
	g := sealed.Grant{Stream: stream, Agent: agent, Run: run, From: 1, Incarnation: 1, Number: 1, Knock: k.Hash(), Parcel: parcel(sealed.ToAsker)}
	return g.Bytes()
}

func parcel(to sealed.RecipientKind) sealed.Parcel {
	return sealed.Parcel{
		Head:       latchkey.Head{Seq: 1},
		Recipients: []sealed.WrappedKey{{Recipient: to, Epoch: 1, Sealed: make([]byte, sealed.SealedKeySize)}},
		Body:       make([]byte, 1300), Signatures: [][]byte{make([]byte, 64)},
	}
}
