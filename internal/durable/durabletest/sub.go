package durabletest

import (
	"io/fs"
	"path"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Sub returns a directory of a file system as a file system of its own. The names that it is
// asked for are those of a program that does not climb.
func Sub(fsys durable.FS, dir string) durable.FS { return sub{fsys, dir} }

type sub struct {
	fs  durable.FS
	dir string
}

func (s sub) OpenFile(name string, flag int) (durable.File, error) {
	return s.fs.OpenFile(path.Join(s.dir, name), flag)
}
func (s sub) Mkdir(name string) error { return s.fs.Mkdir(path.Join(s.dir, name)) }
func (s sub) Rename(from, to string) error {
	return s.fs.Rename(path.Join(s.dir, from), path.Join(s.dir, to))
}
func (s sub) Remove(name string) error              { return s.fs.Remove(path.Join(s.dir, name)) }
func (s sub) Stat(name string) (fs.FileInfo, error) { return s.fs.Stat(path.Join(s.dir, name)) }
