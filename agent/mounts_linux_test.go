package agent_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// apartIn is in the environment of a test that runs apart.
const apartIn = "LATCHKEY_TEST_APART"

// allow is what to do where a machine does not let a test have disks of its own.
const allow = "This test mounts disks of its own, in namespaces of its own: allow user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 where there is such a thing), or run it as root"

// apart runs a test once more, in a process that may mount disks which nobody else sees: in
// namespaces of its own, as their root, which takes no right. It says whether this is that
// process. Env, if there is one, is called in the other and gives what is added to its
// environment.
func apart(t *testing.T, env func() []string) bool {
	t.Helper()
	if os.Getenv(apartIn) == t.Name() {
		return true
	}
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	c.Env = append(os.Environ(), apartIn+"="+t.Name())
	if env != nil {
		c.Env = append(c.Env, env()...)
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := c.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		t.Fatalf("make namespaces: %v. %s", err, allow)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("apart: %v", err)
	}
	return false
}

// stick is a disk of a few megabytes that can be pulled out, and put in again.
type stick struct {
	t     *testing.T
	size  string
	plug  string // where the machine has it whether or not it is mounted
	mount string // where it is mounted
}

// newStick mounts a stick.
func newStick(t *testing.T, size string) *stick {
	t.Helper()
	s := &stick{t: t, size: size, plug: t.TempDir(), mount: t.TempDir()}
	if err := s.make(s.plug); err != nil {
		t.Fatalf("make a disk: %v. %s", err, allow)
	}
	s.put()
	return s
}

func (s *stick) make(plug string) error {
	s.t.Cleanup(func() { _ = unix.Unmount(plug, unix.MNT_DETACH) })
	return unix.Mount("stick", plug, "tmpfs", 0, "size="+s.size)
}

func (s *stick) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// put mounts it.
func (s *stick) put() {
	s.t.Helper()
	s.t.Cleanup(func() { _ = unix.Unmount(s.mount, unix.MNT_DETACH) })
	s.must("mount", unix.Mount(s.plug, s.mount, "", unix.MS_BIND, ""))
}

// pull takes it away, whoever has files on it open.
func (s *stick) pull() {
	s.t.Helper()
	s.must("pull out", unix.Unmount(s.mount, unix.MNT_DETACH))
}

// again makes it another disk to the system, with the same content, as one is that was pulled
// out.
func (s *stick) again() {
	s.t.Helper()
	plug := s.t.TempDir()
	s.must("make a disk", s.make(plug))
	s.must("copy", os.CopyFS(plug, os.DirFS(s.plug)))
	s.plug = plug
}

// protect has it take no writing, once it is put in. A disk with files that are being written
// to does not become such; that is waited for.
func (s *stick) protect() {
	s.t.Helper()
	var err error
	for range 1000 {
		if err = unix.Mount("", s.plug, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.must("have it take no writing", err)
}

// unprotect has it take writing again where it is mounted.
func (s *stick) unprotect() {
	s.t.Helper()
	s.must("have it take writing", unix.Mount("", s.mount, "", unix.MS_REMOUNT, ""))
}

// fill fills it to the last byte, and again whenever somebody makes room, until the function
// that it returns makes room again.
func (s *stick) fill() (empty func()) {
	s.t.Helper()
	f, err := os.Create(s.plug + "/others")
	s.must("fill", err)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 4096)
		for {
			for err := error(nil); err == nil; {
				_, err = f.Write(b)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return func() {
		s.t.Helper()
		close(stop)
		<-done
		s.must("make room", errors.Join(f.Close(), os.Remove(f.Name())))
	}
}
