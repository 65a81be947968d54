package camera

import (
	"fmt"
	"io"
	"net"
	"syscall"
	"unsafe"
)

// readNow reads as conn.Read does, by a system call of which the scheduler is not told.
// The socket never blocks, so it need not know; told of it, the runtime wakes its
// monitor for every picture of every camera, which is a third of what taking one in costs.
func readNow(conn net.Conn, p []byte) (int, error) {
	c, ok := conn.(syscall.Conn)
	if !ok || len(p) == 0 {
		return conn.Read(p)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n uintptr
	var errno syscall.Errno
	err = raw.Read(func(socket uintptr) bool {
		for {
			n, _, errno = syscall.RawSyscall(syscall.SYS_READ, socket, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
			if errno != syscall.EINTR {
				return errno != syscall.EAGAIN
			}
		}
	})
	switch {
	case err != nil: // the deadline, or closed
		return 0, err
	case errno != 0:
		return 0, fmt.Errorf("read: %w", errno)
	case n == 0:
		return 0, io.EOF
	}
	return int(n), nil
}
