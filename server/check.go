package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What a check finds.
const (
	Missing   = "missing"   // the index names an object, and nothing is stored under its name
	Damaged   = "damaged"   // what is stored is not whole, or not what its header gives the hash of
	Crossed   = "crossed"   // what is stored, or the row itself, is another object's
	Unsigned  = "unsigned"  // the object is not signed by an agent that its home's deeds know, or not for its camera
	Unfolded  = "unfolded"  // a home's deeds do not follow each other; its objects are not looked at
	Unindexed = "unindexed" // an object is stored, and the index does not name it
	Stranger  = "stranger"  // a file among the objects that is none
)

// Finding is one thing that is not as it should be.
type Finding struct {
	What string `json:"what"`
	Name string `json:"name"` // of the object, the home or the file
	// Repaired says that it is as it should be now.
	Repaired bool `json:"repaired"`
}

// CheckConfig says what to check.
type CheckConfig struct {
	// Data is the folder of a server, which may be running.
	Data string
	// From is a backup, out of which what is missing or damaged is put back. Empty: nothing
	// is changed.
	From string
	// Found is told of everything that is not as it should be.
	Found func(Finding)
	// Progress is told; nobody if nil.
	Progress Progress
}

// Check looks through all that a server keeps: the index's file, the deeds of every home
// that has something, and every object, whether it is the one that belongs to its row, with
// the hash and the signature that it must have.
func Check(ctx context.Context, c CheckConfig) (n archive.Sums, err error) {
	if _, err := os.Stat(filepath.Join(c.Data, archiveFile)); err != nil {
		return n, fmt.Errorf("there is no server in %s", c.Data)
	}
	if c.Progress == nil {
		c.Progress = func(string, int, int) {}
	}
	k := &checker{config: c}
	index, err := OpenArchive(ctx, c.Data)
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	for folder, blobs := range map[string]**blob.Disk{c.Data: &k.blobs, c.From: &k.backup} {
		if folder == "" {
			continue
		}
		dir, err := durable.OpenExisting(folder)
		if err != nil {
			return n, err
		}
		defer dir.Close() // synced where something was written
		store, closeStore, err := blobsIn(dir)
		if err != nil {
			return n, err
		}
		defer closeStore() // synced where something was written
		*blobs = store
	}
	if n, err = index.Check(ctx); err != nil {
		return n, err
	}
	return n, k.run(ctx, index, n.Objects)
}

// CheckObjects is [Check] of an index and blobs that are open already, and changes nothing.
// What is stored, in no index and not from before that time may be about to be indexed, and
// is let be.
func CheckObjects(ctx context.Context, index *archive.SQLite, blobs *blob.Disk, before time.Time, found func(Finding)) error {
	sums, err := index.Check(ctx)
	if err != nil {
		return err
	}
	k := &checker{config: CheckConfig{Found: found, Progress: func(string, int, int) {}}, blobs: blobs, before: before}
	return k.run(ctx, index, sums.Objects)
}

// checker is a check under way.
type checker struct {
	config CheckConfig
	blobs  *blob.Disk
	backup *blob.Disk // nil if there is none
	before time.Time  // zero: an hour ago
	titles *titles
	broken map[latchkey.HomeID]bool // whose deeds do not fold
}

func (k *checker) run(ctx context.Context, index *archive.SQLite, of int) error {
	quiet := &alarm{log: slog.New(slog.DiscardHandler), misroutes: newCounters().misroutes}
	homes := index.Archive().Homes
	k.titles = newTitles(homes, newHeads(homes, quiet, false, func() bool { return true }), nil, quiet)
	k.broken = map[latchkey.HomeID]bool{}
	if k.before.IsZero() {
		k.before = time.Now().Add(-time.Hour)
	}
	done := 0
	err := index.Every(ctx, func(r archive.Row) error {
		k.config.Progress("objects", done, of)
		done++
		return k.row(ctx, r)
	})
	if err != nil {
		return fmt.Errorf("check objects: %w", err)
	}
	err = k.blobs.Every(ctx, func(h blob.Held) error {
		if h.Name == (latchkey.Name{}) {
			k.config.Found(Finding{What: Stranger, Name: h.At})
			return nil
		}
		is, err := indexed(ctx, index, h.Name)
		if err == nil && !is && h.Since.Before(k.before) {
			k.config.Found(Finding{What: Unindexed, Name: h.Name.String()})
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("check objects: %w", err)
	}
	return nil
}

// row checks the object of a row, and mends what can be mended.
func (k *checker) row(ctx context.Context, r archive.Row) error {
	if k.broken[r.Name.Home] {
		return nil
	}
	title, _, err := k.titles.look(ctx, r.Name.Home)
	if err != nil && ctx.Err() == nil {
		k.broken[r.Name.Home] = true
		k.config.Found(Finding{What: Unfolded, Name: r.Name.Home.String()})
		return nil
	} else if err != nil {
		return err
	}
	f := Finding{Name: r.Name.String()}
	h, err := sealed.ParseHeader(r.Header)
	switch {
	case err != nil: // a row that is another object's, or damaged, has none
		f.What = Crossed
	case sealed.Verify(h, r.Name, title) != nil:
		f.What = Unsigned
	default:
		if f.What, err = wrong(ctx, k.blobs, h); err != nil {
			return err
		}
	}
	if f.What == "" {
		return nil
	}
	if k.backup != nil && (f.What == Missing || f.What == Damaged) {
		if f.Repaired, err = k.mend(ctx, h); err != nil {
			return err
		}
	}
	k.config.Found(f)
	return nil
}

// wrong says what is wrong with the object of a header in a store, "" for nothing.
func wrong(ctx context.Context, blobs *blob.Disk, h sealed.Header) (what string, err error) {
	o, err := blobs.Open(ctx, h.Name())
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return Missing, nil
	case sealed.ReasonOf(err) != "":
		return Damaged, nil
	case err != nil:
		return "", err
	}
	defer o.Body.Close() // read only
	if string(o.Header.Bytes()) != string(h.Bytes()) {
		return Crossed, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, o.Body); err != nil {
		return "", fmt.Errorf("read %s: %w", h.Name(), err)
	}
	if [32]byte(sum.Sum(nil)) != h.BodyHash {
		return Damaged, nil
	}
	return "", nil
}

// mend puts an object back out of the backup, if that has it whole, and says whether it did.
func (k *checker) mend(ctx context.Context, h sealed.Header) (bool, error) {
	if what, err := wrong(ctx, k.backup, h); what != "" || err != nil {
		return false, err
	}
	if err := k.blobs.Remove(ctx, h.Name()); err != nil { // which is missing or damaged
		return false, err
	}
	return true, blob.Copy(ctx, k.backup, k.blobs, h)
}
