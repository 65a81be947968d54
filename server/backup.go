package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// A backup is a folder:
//
//	manifest.json   what is in it; written last, so that one that was broken off has none
//	archive.db      the index, as it was at one moment
//	files/          what else was in the data folder: certificates and their keys
//	blobs/          every object that the index names, and perhaps others
//
// The index is copied first. Objects never change and are in the store before they are
// in the index, so that every object it names can be copied afterwards.
const (
	manifestFile = "manifest.json"
	otherFolder  = "files"
	maxManifest  = 16 << 20
	maxOther     = 64 << 20 // of one file beside index and objects
)

// Backup is what a backup says that it holds.
type Backup struct {
	V    api.V         `json:"v"`
	Made latchkey.Time `json:"made"`
	archive.Sums
	Files []BackupFile `json:"files"` // the index, and everything but the objects
}

// BackupFile is one file of a backup that is no object.
type BackupFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Losses are objects that an index names and that are missing, damaged or crossed with
// others.
type Losses struct {
	Count   int      `json:"count"`
	Objects []string `json:"objects"` // the first of them

	all []latchkey.Name
}

// maxNamedLosses is how many are named.
const maxNamedLosses = 100

func (l *Losses) add(name latchkey.Name) {
	l.all = append(l.all, name)
	if l.Count++; len(l.Objects) < maxNamedLosses {
		l.Objects = append(l.Objects, name.String())
	}
}

// Progress is told how far a backup or a restore has come.
type Progress func(what string, done, of int)

// BackupConfig says what to back up, and where to.
type BackupConfig struct {
	// Data is the folder of a server, which may be running.
	Data string
	// To is a folder that is empty or not there, or an earlier backup, to which then
	// only what is new is added.
	To string
	// Progress is told; nobody if nil.
	Progress Progress
}

// BackUp copies what a server keeps while it runs. Objects that the server itself has
// lost do not end it; they are returned.
func BackUp(ctx context.Context, c BackupConfig) (b Backup, lost Losses, err error) {
	w := &backupWriter{c: c, lost: Losses{Objects: []string{}}}
	if c.Progress == nil {
		w.c.Progress = func(string, int, int) {}
	}
	err = errors.Join(w.run(ctx), w.close())
	return w.manifest, w.lost, err
}

// backupWriter is a backup under way.
type backupWriter struct {
	c        BackupConfig
	data, to *durable.Dir
	manifest Backup
	lost     Losses
	closers  []func() error
}

func (w *backupWriter) close() (err error) {
	for _, c := range w.closers {
		err = errors.Join(err, c())
	}
	return err
}

func (w *backupWriter) run(ctx context.Context) error {
	if err := w.open(); err != nil {
		return err
	}
	for _, step := range []func(ctx context.Context) error{w.index, w.others, w.objects} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	w.c.Progress("manifest", 0, 1)
	if err := ctx.Err(); err != nil {
		return err
	}
	return durable.WriteBytes(w.to, manifestFile, append(text, '\n'))
}

// open opens both folders. From then on the one to write to is no whole backup.
func (w *backupWriter) open() (err error) {
	if _, err := os.Stat(filepath.Join(w.c.Data, archiveFile)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no server in %s", w.c.Data)
	}
	if inside, err := within(w.c.Data, w.c.To); err != nil || inside {
		return errors.Join(fmt.Errorf("a backup must not lie within what it is a backup of: name another folder than %s", w.c.To), err)
	}
	if w.data, err = durable.OpenExisting(w.c.Data); err != nil {
		return err
	}
	w.closers = append(w.closers, w.data.Close)
	if w.to, err = durable.Open(w.c.To); err != nil {
		return err
	}
	w.closers = append(w.closers, w.to.Close)
	entries, err := durable.List(w.to, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n := e.Name(); n != manifestFile && n != otherFolder && n != blobFolder && !strings.HasPrefix(n, archiveFile) {
			return fmt.Errorf("%s is neither empty nor a backup: %q lies in it", w.c.To, n)
		}
	}
	for _, name := range []string{manifestFile, archiveFile + "-wal", archiveFile + "-shm", archiveFile} {
		if err := durable.Remove(w.to, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// within says whether a folder, there or not, lies in another or is it.
func within(folder, other string) (bool, error) {
	at, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return false, err
	}
	if at, err = filepath.Abs(at); err != nil {
		return false, err
	}
	to, err := filepath.Abs(other)
	if err != nil {
		return false, err
	}
	for rest := to; ; rest = filepath.Dir(rest) { // what is there already, without links
		if real, err := filepath.EvalSymlinks(rest); err == nil {
			to = filepath.Join(real, strings.TrimPrefix(to, rest))
			break
		}
		if rest == filepath.Dir(rest) {
			break
		}
	}
	rel, err := filepath.Rel(at, to)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)), nil
}

func (w *backupWriter) index(ctx context.Context) error {
	w.c.Progress("index", 0, 1)
	if err := ctx.Err(); err != nil {
		return err
	}
	to := filepath.Join(w.c.To, archiveFile)
	w.manifest.Made = timeOf(time.Now())
	if err := archive.BackUpSQLite(ctx, filepath.Join(w.c.Data, archiveFile), to); err != nil {
		return err
	}
	file, err := sum(w.to, archiveFile)
	if err != nil {
		return err
	}
	w.manifest.Files = append(w.manifest.Files, file)
	return durable.SyncDir(w.to, ".")
}

// others copies what lies beside index and objects.
func (w *backupWriter) others(ctx context.Context) error {
	names, err := filesOf(w.data, ".")
	if err != nil {
		return err
	}
	for i, name := range names {
		w.c.Progress("files", i, len(names))
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := durable.ReadBytes(w.data, name, maxOther)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a lock, or a certificate that was renewed
		} else if err != nil {
			return err
		}
		to := path.Join(otherFolder, name)
		if err := durable.MkdirAll(w.to, path.Dir(to)); err != nil {
			return err
		}
		if err := durable.WriteBytes(w.to, to, b); err != nil {
			return err
		}
		w.manifest.Files = append(w.manifest.Files, fileOf(to, b))
	}
	return nil
}

// filesOf names the regular files in a folder of a data folder, without index, objects
// and the cache's keys.
func filesOf(data durable.FS, dir string) (names []string, err error) {
	entries, err := durable.List(data, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		switch {
		case name == blobFolder || name == cacheKeyFile || strings.HasPrefix(name, archiveFile):
		case e.IsDir():
			more, err := filesOf(data, name)
			if err != nil {
				return nil, err
			}
			names = append(names, more...)
		case e.Type().IsRegular():
			names = append(names, name)
		}
	}
	return names, nil
}

// objects copies every object that the copy of the index names.
func (w *backupWriter) objects(ctx context.Context) error {
	index, err := archive.OpenSQLite(ctx, filepath.Join(w.c.To, archiveFile))
	if err != nil {
		return err
	}
	err = w.copyObjects(ctx, index)
	if err := errors.Join(err, index.Close()); err != nil {
		return err
	}
	// Opening it has brought it up to this program's version.
	w.manifest.Files[0], err = sum(w.to, archiveFile)
	return err
}

func (w *backupWriter) copyObjects(ctx context.Context, index *archive.SQLite) (err error) {
	if w.manifest.Sums, err = index.Check(ctx); err != nil {
		return err
	}
	from, closeFrom, err := blobsIn(w.data)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, closeFrom)
	to, closeTo, err := blobsIn(w.to)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, closeTo)
	if err := copyAll(ctx, index, from, to, w.manifest.Objects, w.c.Progress, &w.lost); err != nil || w.lost.Count == 0 {
		return err
	}
	return w.forgetDeleted(ctx, index)
}

// forgetDeleted looks which of the lost objects the server has deleted since its index was
// copied, and takes those out of the copy.
func (w *backupWriter) forgetDeleted(ctx context.Context, index *archive.SQLite) error {
	live, err := OpenArchive(ctx, w.c.Data)
	if err != nil {
		return err
	}
	defer live.Close() // nothing was written
	var deleted []latchkey.Name
	lost := Losses{Objects: []string{}}
	for _, name := range w.lost.all {
		switch _, err := live.Object(ctx, name); {
		case errors.Is(err, archive.ErrNotFound):
			deleted = append(deleted, name)
		case err != nil:
			return err
		default:
			lost.add(name)
		}
	}
	if err := index.Forget(ctx, deleted); err != nil {
		return err
	}
	w.lost = lost
	w.manifest.Sums, err = index.Check(ctx)
	return err
}

func blobsIn(folder *durable.Dir) (*blob.Disk, func() error, error) {
	sub, err := folder.Sub(blobFolder)
	if err != nil {
		return nil, nil, err
	}
	d, err := blob.NewDisk(sub)
	if err != nil {
		return nil, nil, errors.Join(err, sub.Close())
	}
	return d, sub.Close, nil
}

// copyAll copies every object that an index names, and counts those that are lost.
func copyAll(ctx context.Context, index *archive.SQLite, from, to blob.Store, of int, progress Progress, lost *Losses) error {
	done := 0
	return index.Every(ctx, func(r archive.Row) error {
		progress("objects", done, of)
		done++
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := sealed.ParseHeader(r.Header)
		if r.Problem != "" || err != nil {
			lost.add(r.Name)
			return nil
		}
		err = blob.Copy(ctx, from, to, h)
		if errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrDifferent) || sealed.ReasonOf(err) != "" {
			lost.add(r.Name)
			return nil
		}
		return err
	})
}

func fileOf(name string, b []byte) BackupFile {
	hash := sha256.Sum256(b)
	return BackupFile{name, int64(len(b)), hex.EncodeToString(hash[:])}
}
