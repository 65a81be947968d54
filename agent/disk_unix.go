//go:build unix

package agent

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes is how much room the disk of an open folder has for this user.
func freeBytes(folder *os.File) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(folder.Fd()), &st); err != nil {
		return 0, fmt.Errorf("ask how full the disk is: %w", err)
	}
	free := float64(st.Bavail) * float64(st.Bsize) // the types differ from system to system
	return int64(min(free, math.MaxInt64/2)), nil
}
