//go:build unix

package agent

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// freeBytes is how much room a disk has for this user.
func freeBytes(folder string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return 0, fmt.Errorf("ask how full the disk is: %w", err)
	}
	free := float64(st.Bavail) * float64(st.Bsize) // the types differ from system to system
	return int64(min(free, math.MaxInt64/2)), nil
}
