//go:build !linux

package find

import "net/netip"

// neighbour returns "": this system does not show its neighbours without rights.
func neighbour(netip.Addr) string { return "" }
