//go:build !linux

package camera

import "net"

// readNow reads from the connection.
func readNow(conn net.Conn, p []byte) (int, error) { return conn.Read(p) }
