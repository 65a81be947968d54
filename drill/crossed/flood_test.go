package crossed_test

import (
	"os"
	"testing"

	"github.com/latchkey-cam/latchkey/drill/crossed"
)

// TestFlood reads through a cache that goes wrong all the time, and 10^8 times in the
// long form.
func TestFlood(t *testing.T) {
	t.Parallel()
	reads := int64(100_000)
	if os.Getenv("LATCHKEY_LONG") != "" {
		reads = 100_000_000
	}
	f, err := crossed.FloodCache(t.Context(), reads, 1, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	if f.Reads < reads || f.Foreign != 0 || f.Faults < reads/50_000 || f.Replaced == 0 {
		t.Errorf("%+v", f)
	}
}
