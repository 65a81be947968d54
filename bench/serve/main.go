// Command serve measures what it costs to hand out a thumbnail of 8 KiB to whoever may
// see it: the real server, with a session, its MAC, rights folded from deeds, a
// comparison, a receipt on the disk and a connection that can be cut, beside nginx with
// auth_request to a handler that says yes, nginx that asks nobody, and Go's file server.
//
// All hand out the same bytes to the same generator of load, in rounds by turns, so
// that what else the machine does hits all alike; all that comes back is compared with
// what was asked for. Believe the ratios. Then a page of 50 events with their
// thumbnails is fetched, from a server that has just started and once more, by an owner
// and by a guest of one of two cameras, who must get what they may see and nothing else.
package main

import (
	"context"
	"os"

	"github.com/latchkey-cam/latchkey/bench/role"
)

// roles are what this program does when it starts itself. Each prints the address that
// it listens on and runs until it is interrupted.
var roles = map[string]func(ctx context.Context, args []string) error{
	"latchkey": serveLatchkey, "auth": serveYes, "files": serveFiles,
}

func main() { role.Main("serve", roles, measure) }

func measure(ctx context.Context) error {
	n, err := role.Number("LATCHKEY_BENCH_ROUNDS", "rounds", 20) // of each of them
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "latchkey-serve-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) // temporary
	e, err := found(ctx, folder)
	if err != nil {
		return err
	}
	defer e.end()
	if err := e.restart(ctx); err != nil { // it has nothing of the founding in memory
		return err
	}
	if err := thumbnails(ctx, e, folder, n); err != nil {
		return err
	}
	return pages(ctx, e)
}
