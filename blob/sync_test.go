package blob_test

import (
	"bytes"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/blob/blobtest"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
)

// TestSyncFails: the disk fails to sync, several times from each moment of an upload on, and
// what it was given then is lost although it can be read until the power is cut. The agent
// comes again until the object is committed, and then it is there.
func TestSyncFails(t *testing.T) {
	body := blobtest.Body(3000)
	for first := 1; ; first++ {
		came := 0
		for fail := 1; fail < 6; fail++ {
			disk := durabletest.New()
			h := blobtest.Object(latchkey.HomeID{1}, body)
			syncs := 0
			disk.Before(func(op, _ string) error {
				if op == "sync" {
					if syncs++; syncs >= first && syncs < first+fail {
						came++
						return durabletest.ErrLost
					}
				}
				return nil
			})
			err := uploadInTwo(t, disk, h, body)
			for again := 0; err != nil && again < 20; again++ {
				var s blob.Store
				if s, err = blob.NewDisk(disk); err == nil {
					err = sendAgain(t, s, h, body)
				}
			}
			if err != nil {
				t.Fatalf("%d syncs fail from number %d on: %v", fail, first, err)
			}
			disk.Crash()
			if got, name, err := blobtest.Read(t.Context(), newDisk(t, disk), h.Name()); err != nil || name != h.Name() || !bytes.Equal(got, body) {
				t.Errorf("%d syncs fail from number %d on: committed, and then %d bytes, %v", fail, first, len(got), err)
			}
		}
		if came == 0 { // the upload has no more syncs
			return
		}
	}
}

// TestSyncFailsControl: a store that syncs once more what it could not sync commits what is
// not there.
func TestSyncFailsControl(t *testing.T) {
	program := &sabotage.Program{Root: ".."}
	without := program.Without(t, sabotage.Cut{File: "blob/staging.go", Old: "err = errors.Join(err, s.restart(sealed.File{Header: s.header}.Bytes()))", New: ""})
	t.Parallel()
	if out, err := without.Tests(t.Context(), "^TestSyncFails$"); err == nil || !bytes.Contains(out, []byte("committed, and then")) {
		t.Errorf("the test passes without it: %s", out)
	}
}
