package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// restoringFile stands in a data folder while a restore is under way. Without it a
// server that is started too soon would serve homes that are not closed.
const restoringFile = "restore-under-way"

// RestoreConfig says what to restore, and where to.
type RestoreConfig struct {
	// From is a backup.
	From string
	// Data is the folder of the server to be: empty, or not there.
	Data string
	// Incomplete restores what there is, even if objects are missing or damaged.
	Incomplete bool
	// Progress is told; nobody if nil.
	Progress Progress
}

// Restore puts a backup into a data folder, from which a server can be started then. Its
// homes are closed (docs/wire.md, "After a restore"). Objects that the backup lacks are
// returned, and end it unless it may be incomplete.
func Restore(ctx context.Context, c RestoreConfig) (b Backup, lost Losses, err error) {
	r := &restorer{c: c, lost: Losses{Objects: []string{}}}
	if c.Progress == nil {
		r.c.Progress = func(string, int, int) {}
	}
	err = errors.Join(r.run(ctx), r.close())
	return r.manifest, r.lost, err
}

// restorer is a restore under way.
type restorer struct {
	c          RestoreConfig
	from, data *durable.Dir
	manifest   Backup
	lost       Losses
	closers    []func() error
}

func (r *restorer) close() (err error) {
	for _, c := range r.closers {
		err = errors.Join(err, c())
	}
	return err
}

func (r *restorer) run(ctx context.Context) error {
	if err := r.open(); err != nil {
		return err
	}
	for _, step := range []func(ctx context.Context) error{r.files, r.index} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\n%s is unfinished and no server starts from it: empty it before you try again", err, r.c.Data)
		}
	}
	return durable.Remove(r.data, restoringFile)
}

// open reads the manifest, and takes the data folder if it is empty.
func (r *restorer) open() (err error) {
	if r.from, err = durable.OpenExisting(r.c.From); err != nil {
		return err
	}
	r.closers = append(r.closers, r.from.Close)
	if r.manifest, err = readManifest(r.from); err != nil {
		return fmt.Errorf("%s is no whole backup: %w", r.c.From, err)
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("%s is no whole backup: %w", r.c.From, err)
	}
	if r.data, err = durable.Open(r.c.Data); err != nil {
		return err
	}
	r.closers = append(r.closers, r.data.Close)
	entries, err := durable.List(r.data, ".")
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty: a backup is restored into an empty folder", r.c.Data)
	}
	return durable.WriteBytes(r.data, restoringFile, []byte("A backup is being restored into this folder, or the attempt was broken off.\n"))
}

func readManifest(from durable.FS) (b Backup, err error) {
	text, err := durable.ReadBytes(from, manifestFile, maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return b, fmt.Errorf("it was broken off, or is none: there is no %s", manifestFile)
	} else if err != nil {
		return b, err
	}
	if err := json.Unmarshal(text, &b); errors.Is(err, api.ErrVersion) {
		return b, fmt.Errorf("it is of a newer version: use a newer latchkey")
	} else if err != nil {
		return b, fmt.Errorf("read manifest: %w", err)
	}
	return b, nil
}

// check compares every file but the objects with the manifest.
func (r *restorer) check() error {
	index := false
	for i, want := range r.manifest.Files {
		r.c.Progress("checking", i, len(r.manifest.Files))
		name, other := strings.CutPrefix(want.Name, otherFolder+"/")
		if !fs.ValidPath(want.Name) || want.Name != archiveFile && (!other || name == restoringFile || name == manifestFile || name == blobFolder ||
			strings.HasPrefix(name, blobFolder+"/") || strings.HasPrefix(name, archiveFile)) {
			return fmt.Errorf("its manifest names %.200q, which belongs in none", want.Name)
		}
		index = index || want.Name == archiveFile
		have, err := sum(r.from, want.Name)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is missing", want.Name)
		} else if err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%s is damaged", want.Name)
		}
	}
	if !index {
		return fmt.Errorf("%s is missing", archiveFile)
	}
	return nil
}

// sum measures a file.
func sum(fsys durable.FS, name string) (BackupFile, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return BackupFile{}, err
	}
	defer f.Close() // read only
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	if err != nil {
		return BackupFile{}, fmt.Errorf("read %s: %w", name, err)
	}
	return BackupFile{name, n, hex.EncodeToString(hash.Sum(nil))}, nil
}

// files puts everything back but the objects.
func (r *restorer) files(ctx context.Context) error {
	for i, want := range r.manifest.Files {
		r.c.Progress("files", i, len(r.manifest.Files))
		if err := ctx.Err(); err != nil {
			return err
		}
		to := strings.TrimPrefix(want.Name, otherFolder+"/")
		if err := durable.MkdirAll(r.data, path.Dir(to)); err != nil {
			return err
		}
		if err := copyFile(r.from, r.data, want.Name, to); err != nil {
			return err
		}
		if have, err := sum(r.data, to); err != nil || have.Bytes != want.Bytes || have.SHA256 != want.SHA256 {
			return errors.Join(fmt.Errorf("%s is not what it was a moment ago", want.Name), err)
		}
	}
	return nil
}

func copyFile(from, to durable.FS, name, as string) error {
	f, err := from.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	return durable.Write(to, as, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

// index looks through the index, puts the objects back that it names, and closes the
// homes.
func (r *restorer) index(ctx context.Context) error {
	index, err := archive.OpenSQLite(ctx, filepath.Join(r.c.Data, archiveFile))
	if err != nil {
		return err
	}
	err = r.objects(ctx, index)
	if err == nil {
		err = index.Archive().Restores.Restored(ctx, timeOf(time.Now()))
	}
	return errors.Join(err, index.Close())
}

func (r *restorer) objects(ctx context.Context, index *archive.SQLite) error {
	sums, err := index.Check(ctx)
	if err != nil {
		return err
	}
	if sums != r.manifest.Sums {
		return fmt.Errorf("the index holds %+v, the manifest says %+v", sums, r.manifest.Sums)
	}
	from, closeFrom, err := blobsIn(r.from)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, closeFrom)
	to, closeTo, err := blobsIn(r.data)
	if err != nil {
		return err
	}
	r.closers = append(r.closers, closeTo)
	if err := copyAll(ctx, index, from, to, sums.Objects, r.c.Progress, &r.lost); err != nil {
		return err
	}
	if r.lost.Count > 0 && !r.c.Incomplete {
		return fmt.Errorf("%d of %d objects are missing or damaged", r.lost.Count, sums.Objects)
	}
	return nil
}

// startable says why no server may be started from a data folder.
func startable(data *durable.Dir) error {
	for name, why := range map[string]string{
		restoringFile: "a restore into it was broken off; empty it and restore again",
		manifestFile:  "it is a backup; restore it into another folder, so that nobody who was removed since comes back",
	} {
		if _, err := data.Stat(name); err == nil {
			return fmt.Errorf("no server can be started from this folder: %s", why)
		}
	}
	return nil
}
