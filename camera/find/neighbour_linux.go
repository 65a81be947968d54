package find

import (
	"io"
	"net/netip"
	"os"
)

// neighbour returns the MAC of a device in this machine's network, to which it has just
// been connected; "" if it is not in this network.
func neighbour(ip netip.Addr) string {
	f, err := os.Open("/proc/net/arp")
	if err != nil {
		return ""
	}
	defer f.Close() // read only
	b, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return ""
	}
	return readNeighbours(string(b), ip)
}
