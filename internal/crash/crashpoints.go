//go:build crashpoints

package crash

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

var target = sync.OnceValues(func() (string, int64) {
	name, nth, counted := strings.Cut(os.Getenv("LATCHKEY_CRASH"), ":")
	if !counted {
		return name, 1
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil || n < 1 {
		panic(fmt.Sprintf("LATCHKEY_CRASH: %q is not a count", nth))
	}
	return name, n
})

var reached atomic.Int64

// Point is a moment at which a test may end the process.
func Point(name string) {
	want, nth := target()
	if name != want || reached.Add(1) != nth {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic("internal error: crash point: " + err.Error())
	}
	select {} // SIGKILL is on its way
}
