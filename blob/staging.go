package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// staging is an upload on disk: a file that begins as the object file will, so that
// its commit is a rename. Bytes that a crash has damaged are found by the hash.
type staging struct {
	disk   *Disk
	name   latchkey.Name
	header sealed.Header

	file   *durable.Appender // nil when the object is stored
	stored bool
	synced bool // all of it, and from then on it may stand under its name
	prefix int64
	sum    hash.Hash // of the body so far
	closed bool
}

func (s *staging) open(ctx context.Context) error {
	switch held, err := s.disk.Open(ctx, s.name); {
	case err == nil:
		if err := held.Body.Close(); err != nil {
			return fmt.Errorf("stage object: %w", err)
		}
		if !bytes.Equal(held.Header.Bytes(), s.header.Bytes()) {
			return ErrDifferent
		}
		s.stored = true
		return nil
	case errors.Is(err, ErrNotFound):
	case sealed.ReasonOf(err) != "":
		return fmt.Errorf("%w, and they are damaged: %w", ErrDifferent, err)
	default:
		return err
	}
	at := stagingPath(s.name)
	if err := s.disk.folder(path.Dir(at)); err != nil {
		return fmt.Errorf("stage object: %w", err)
	}
	if _, err := s.disk.fs.Stat(at); err != nil {
		if err := s.disk.room(path.Dir(at)); err != nil {
			return fmt.Errorf("stage object: %w", err)
		}
	}
	if err := s.resume(at); err != nil {
		return fmt.Errorf("stage object: %w", err)
	}
	return nil
}

// resume opens the staging file, keeps what an earlier attempt at these very bytes
// left there, and begins anew otherwise.
func (s *staging) resume(at string) error {
	prefix := sealed.File{Header: s.header}.Bytes()
	s.prefix = int64(len(prefix))
	s.sum = sha256.New()
	keep, err := s.sumStaged(at, prefix)
	if err != nil {
		return err
	}
	if s.file, err = durable.Append(s.disk.fs, at); err != nil {
		return err
	}
	if keep {
		return nil
	}
	if err := s.restart(prefix); err != nil {
		return errors.Join(err, s.file.Close())
	}
	return nil
}

// sumStaged reads what is staged and reports whether it is the beginning of this object.
func (s *staging) sumStaged(at string, prefix []byte) (bool, error) {
	f, err := s.disk.fs.OpenFile(at, os.O_RDONLY)
	if err != nil {
		return false, nil // nothing staged: Append makes the file
	}
	defer f.Close() // read only
	have := make([]byte, len(prefix))
	if _, err := io.ReadFull(f, have); err != nil || !bytes.Equal(have, prefix) {
		return false, nil
	}
	n, err := io.Copy(s.sum, f)
	if err != nil {
		return false, err
	}
	return uint64(n) <= s.header.BodyLength, nil
}

func (s *staging) restart(prefix []byte) error {
	s.sum = sha256.New()
	if err := s.file.Truncate(0); err != nil {
		return err
	}
	_, err := s.file.Write(prefix)
	return err
}

func (s *staging) Held() uint64 {
	if s.stored {
		return s.header.BodyLength
	}
	return uint64(max(s.file.Size()-s.prefix, 0))
}

func (s *staging) Write(p []byte) (int, error) {
	if s.Held()+uint64(len(p)) > s.header.BodyLength {
		return 0, sealed.Refuse(sealed.Trailing, "the header says %d bytes of body", s.header.BodyLength)
	}
	if len(p) == 0 { // as it is when the object is stored already
		return 0, nil
	}
	n, err := s.file.Write(p)
	s.sum.Write(p[:n])
	if err != nil {
		return n, fmt.Errorf("stage object: %w", err)
	}
	return n, nil
}

func (s *staging) Commit(ctx context.Context) error {
	to, err := objectPath(s.name)
	if err != nil {
		return err
	}
	if s.stored {
		// Another process may have been killed between its rename and its sync.
		return durable.SyncDir(s.disk.fs, path.Dir(to))
	}
	if err := whole(s.header, s.Held()); err != nil {
		return err
	}
	if [32]byte(s.sum.Sum(nil)) != s.header.BodyHash {
		if err := s.restart(sealed.File{Header: s.header}.Bytes()); err != nil {
			return fmt.Errorf("drop damaged upload: %w", err)
		}
		return sealed.Refuse(sealed.WrongHash, "the body's hash is not the header's")
	}
	if err := s.sync(); err != nil {
		return fmt.Errorf("commit object: %w", err)
	}
	s.synced = true
	if err := s.disk.folder(path.Dir(to)); err != nil {
		return fmt.Errorf("commit object: %w", err)
	}
	if err := durable.Move(s.disk.fs, stagingPath(s.name), to); err != nil {
		return fmt.Errorf("commit object: %w", err)
	}
	s.stored = true
	return nil
}

func (s *staging) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	defer s.disk.release(s.name)
	if s.file == nil {
		return nil
	}
	if s.synced {
		return s.file.Close()
	}
	return errors.Join(s.sync(), s.file.Close())
}

// sync brings what was written onto the disk, or lets go of it: after a sync that failed the
// file reads as before, and the next sync says that all is well, but what was to be written is
// lost (Linux takes it for written). So it has to come once more.
func (s *staging) sync() error {
	err := s.file.Sync()
	if err != nil {
		err = errors.Join(err, s.restart(sealed.File{Header: s.header}.Bytes()))
	}
	return err
}
