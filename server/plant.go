package server

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// Plant puts a home into an archive that has none: its deeds, and its settings if there
// are some. It is for servers that stand in for the home's own.
func Plant(ctx context.Context, to archive.Archive, t *deed.Title, settings []byte) error {
	now := time.Now()
	secret := hashOf(rand.Text())
	if err := to.Setups.MintSetup(ctx, secret, timeOf(now.Add(time.Minute))); err != nil {
		return err
	}
	g := archive.Growth{Home: t.Home(), Deeds: t.Deeds(0), Head: t.Head(), Epoch: t.Epoch()}
	if err := to.Homes.Found(ctx, secret, timeOf(now), g); err != nil || len(settings) == 0 {
		return err
	}
	return to.Settings.PutSettings(ctx, [32]byte{}, archive.Document{Home: t.Home(), Bytes: settings})
}
