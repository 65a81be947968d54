package fault_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/blob/blobtest"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/drill/fault"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestCatalogue puts every fault in by itself, always, and does a little of everything:
// each must find its chance.
func TestCatalogue(t *testing.T) {
	ids := map[string]bool{}
	for _, f := range fault.Catalogue {
		ids[f.ID] = true
		t.Run(fmt.Sprint(f.ID, " ", f.Name, " ", f.Where), func(t *testing.T) {
			p := fault.Parts{Cache: cache(t), Archive: new(fault.Archive), Blobs: new(fault.Blobs), Bus: new(fault.Bus), Patience: 20 * time.Millisecond}
			p.Pages, _ = site(t)
			c := cloud{p, p.Archive.Wrap(sqlite(t)), p.Blobs.Wrap(disk(t)), p.Bus.Wrap(bus.NewLocal()), two{}}
			c.two = fill2(t, c.archive)
			in := f.Inject(p, every, seeded())
			if f.Inject(fault.Parts{}, every, seeded()) != nil {
				t.Error("it can be put into a cloud that has no place for it")
			}
			for range 50 {
				if in.Injected() == 0 {
					c.bustle(t)
				}
			}
			if in.Injected() == 0 {
				t.Error("it was never put in")
			}
		})
	}
	if len(ids) != 16 {
		t.Errorf("the catalogue has %d faults, want 16", len(ids))
	}
}

// cloud is something of every part.
type cloud struct {
	fault.Parts
	archive archive.Archive
	blobs   blob.Store
	bus     bus.Bus
	two     two
}

// bustle does a little of everything, for two homes. What becomes of it is the fault's.
func (c cloud) bustle(t *testing.T) {
	var work sync.WaitGroup
	for i := range 2 {
		work.Go(func() {
			wire := dial(t, c.Cache.Addr())
			for n := range 4 {
				key := fmt.Sprintf("k%d", n+1)
				fmt.Fprint(wire.conn, get(key), set(key, "other "+key), get(key))
			}
			_ = wire.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			_, _ = wire.r.ReadString(0)
			a := http.Client{Transport: new(http.Transport), Timeout: time.Second}
			for n := range 4 {
				if r, err := a.Get(fmt.Sprintf("http://%s/home?of=%d-%d", c.Pages.Addr(), i, n)); err == nil {
					r.Body.Close()
				}
			}
			a.CloseIdleConnections()
		})
	}
	work.Wait()
	for i := range 2 {
		_, _, _ = c.two.try(t.Context(), c.archive, i)
		_ = c.bus.Publish(t.Context(), c.two.homes[i], bus.News{})
		of := sealed.Stream{Home: c.two.homes[i], Kind: sealed.MainStream}
		_ = c.bus.Send(t.Context(), of, bus.Live{Stream: of, Kind: bus.Fragment})
		h := blobtest.Object(c.two.homes[i], blobtest.Body(100))
		_ = blobtest.Put(t.Context(), c.blobs, h, blobtest.Body(100))
		_, _, _ = blobtest.Read(t.Context(), c.blobs, h.Name())
	}
}

// TestCatalogueIsWritten holds the table in docs/drill.md against the catalogue.
func TestCatalogueIsWritten(t *testing.T) {
	page, err := os.ReadFile("../../docs/drill.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fault.Catalogue {
		if row := fmt.Sprintf("| %s | %s | %s | %s | %s |\n", f.ID, f.Name, f.Where, f.Does, f.Seen); !strings.Contains(string(page), row) {
			t.Errorf("docs/drill.md lacks\n%s", row)
		}
	}
}
