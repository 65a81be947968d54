package agent

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkFileSystem returns a warning if the folder is on a disk somewhere else, ""
// if it is not: there a lock or a sync may promise what it does not keep.
func networkFileSystem(folder string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return ""
	}
	kinds := map[uint32]string{0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x65735546: "FUSE", 0x01021997: "9P"}
	kind, ok := kinds[uint32(st.Type)]
	if !ok {
		return ""
	}
	return fmt.Sprintf("The agent's folder %s is on a network file system (%s). What is recorded there may not survive a power cut; use a local disk.", folder, kind)
}
