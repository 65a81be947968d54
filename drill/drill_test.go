package drill_test

import (
	"os"
	"testing"

	"github.com/latchkey-cam/latchkey/drill"
)

// TestRevoke removes some people, and thousands in the long form. On a machine that does
// other things as well the bounds of the verdict would be moody: here it must be the cut
// that ends everything, and nobody else's connection.
func TestRevoke(t *testing.T) {
	t.Parallel()
	c := drill.RevokeConfig{Dir: t.TempDir(), Revocations: 50, BusSilenced: true}
	if os.Getenv("LATCHKEY_LONG") != "" {
		c.Revocations = 3000
	}
	r, err := drill.Revoke(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v, silenced %+v", r, r.BusSilenced)
	if r.Revocations != c.Revocations || r.Connections != 7*c.Revocations {
		t.Errorf("%d removals with %d connections", r.Revocations, r.Connections)
	}
	if r.P50 > 500 || r.Max > 1400 || r.OthersCut != 0 {
		t.Errorf("half are through after %.0f ms, all after %.0f; %d others cut", r.P50, r.Max, r.OthersCut)
	}
	if s := r.BusSilenced.ClosedAfter; s < 5000 || s > 15_000 {
		t.Errorf("with the bus silenced it is closed after %.0f ms", s)
	}
}
