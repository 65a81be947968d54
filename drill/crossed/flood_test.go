package crossed_test

import (
	"os"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/drill/crossed"
)

// TestFlood reads through a cache that goes wrong all the time, and 10^8 times in the
// long form, which says how far it has come.
func TestFlood(t *testing.T) {
	t.Parallel()
	reads, told := int64(100_000), time.Now()
	if os.Getenv("LATCHKEY_LONG") != "" {
		reads = 100_000_000
	}
	f, err := crossed.FloodCache(t.Context(), reads, 1, func(done int) {
		if time.Since(told) > 30*time.Second {
			told = time.Now()
			t.Logf("verified %d of %d reads", done, reads)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	if f.Reads < reads || f.Foreign != 0 || f.Faults < reads/50_000 || f.Replaced == 0 {
		t.Errorf("%+v", f)
	}
}
