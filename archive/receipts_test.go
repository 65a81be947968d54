package archive_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
)

// receiptOf is the n-th delivery, each of another home, session and request. Of two and two
// the session's and the request's ID begin and end alike.
func receiptOf(n int) archive.Receipt {
	sum := sha256.Sum256(fmt.Append(nil, n/2))
	r := archive.Receipt{
		Home: latchkey.HomeID(sum), Session: archive.Secret(sum), Request: fmt.Sprintf("r%d-%x", n, sum[:10]),
		Device: latchkey.DeviceID(sum[:16]), Header: sum, Bytes: uint64(n), Outcome: archive.Delivered, Time: archivetest.Now + latchkey.Time(n),
	}
	r.Session[31] ^= byte(n)
	r.Asked = latchkey.Name{Home: r.Home, Camera: latchkey.CameraID(sum[:16]), Day: "2026-11-26", Kind: latchkey.Thumbnail, Object: latchkey.ObjectID(sum[16:])}.String()
	r.Sent = r.Asked
	return r
}

// receiptsOf are the n deliveries from the first on.
func receiptsOf(first, n int) (all []archive.Receipt) {
	for i := range n {
		all = append(all, receiptOf(first+i))
	}
	return all
}

// TestManyReceipts: each is found among those of several lots, and nothing else is;
// those of the time that is swept are not.
func TestManyReceipts(t *testing.T) {
	a := openSQLite(t, filepath.Join(t.TempDir(), "latchkey.db"))
	const sheets, size = 51, 1000 // three lots and some
	for i := range sheets {
		if err := a.Receipts.PutReceipts(t.Context(), receiptsOf(i*size, size)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(from int) {
		t.Helper()
		for n := 0; n < sheets*size; n += 397 {
			r := receiptOf(n)
			want := []archive.Receipt{r}
			if n < from {
				want = nil
			}
			got, err := a.Receipts.Receipts(t.Context(), r.Home, r.Session, r.Request)
			if err != nil || !cmp.Equal(got, want) {
				t.Fatalf("the receipt %d of %d, %v (-want +got):\n%s", n, sheets*size, err, cmp.Diff(want, got))
			}
			if got, err := a.Receipts.Receipts(t.Context(), latchkey.HomeID{1}, r.Session, r.Request); err != nil || got != nil {
				t.Fatalf("in another home there is %v, %v", got, err)
			}
		}
	}
	look(0)
	for _, from := range []int{20, 40} {
		if err := a.Receipts.Sweep(t.Context(), 0, receiptOf(from*size).Time); err != nil {
			t.Fatal(err)
		}
		look(from * size)
	}
	if err := a.Receipts.Sweep(t.Context(), 0, receiptOf(sheets*size).Time); err != nil {
		t.Fatal(err)
	}
	look(sheets * size)
	if err := a.Receipts.PutReceipts(t.Context(), receiptsOf(0, size)); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Receipts.Receipts(t.Context(), receiptOf(7).Home, receiptOf(7).Session, receiptOf(7).Request); err != nil || !cmp.Equal(got, receiptsOf(7, 1)) {
		t.Errorf("of the first that are written when all were swept there is %v, %v", got, err)
	}
}

// TestReleasedReceipts: what an earlier release has written, a row for each, is found, and
// put into lots when it is swept.
func TestReleasedReceipts(t *testing.T) {
	file := unpack(t, "testdata/archive-2.db.gz")
	want := receiptsOf(0, 20_000)
	want[1].Sent, want[1].Outcome = "v1/b", archive.Misrouted
	want[2].Sent, want[2].Outcome = "", archive.Damaged
	want[3].Request = "r"
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for n, r := range want {
		if _, err := tx.Exec(`INSERT INTO receipts (home, id, session, request, device, asked, sent, header, bytes, outcome, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.Home[:], fmt.Append(nil, n), r.Session[:], r.Request, r.Device[:], r.Asked, r.Sent, r.Header[:], int64(r.Bytes), string(r.Outcome), int64(r.Time)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	a := openSQLite(t, file)
	look := func() {
		t.Helper()
		for _, n := range []int{0, 1, 2, 3, 4, 16_382, 16_383, 16_384, 19_999} {
			r := want[n]
			if got, err := a.Receipts.Receipts(t.Context(), r.Home, r.Session, r.Request); err != nil || !cmp.Equal(got, want[n:n+1]) {
				t.Errorf("the receipt %d, %v (-want +got):\n%s", n, err, cmp.Diff(want[n:n+1], got))
			}
		}
	}
	look()
	if err := a.Receipts.Sweep(t.Context(), 0, 0); err != nil {
		t.Fatal(err)
	}
	look()
	var lots int
	if err := db.QueryRow(`SELECT count(*) FROM lots`).Scan(&lots); err != nil || lots != 64 {
		t.Errorf("%d parts of lots, %v", lots, err)
	}
}

// TestLogStaysShort: what is written for hours does not leave a log of hours.
func TestLogStaysShort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "latchkey.db")
	a := openSQLite(t, file)
	const bound = 4 * 1000 * 4096 // bytes: four times what is called long
	written, longest := 0, int64(0)
	for at := 0; written < 4*bound; at += 1000 {
		drawn := receiptsOf(at, 1000)
		if err := a.Receipts.PutReceipts(t.Context(), drawn); err != nil {
			t.Fatal(err)
		}
		written += 300 * len(drawn)
		info, err := os.Stat(file + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size())
	}
	if longest > bound {
		t.Errorf("the log grew to %d bytes while %d were written", longest, written)
	}
}

// BenchmarkReceipts writes receipts of as many homes as there are on a sheet, and reports
// what one costs.
func BenchmarkReceipts(b *testing.B) {
	for _, size := range []int{1, 8, 32, 64} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s, err := archive.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "latchkey.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			drawn := receiptsOf(rand.IntN(1<<20), 64*size)
			before, sheets := spent(b), 0
			for b.Loop() {
				at := sheets % 64 * size
				if err := s.PutReceipts(b.Context(), drawn[at:at+size]); err != nil {
					b.Fatal(err)
				}
				sheets++
			}
			b.ReportMetric(float64((spent(b)-before).Nanoseconds())/1000/float64(sheets*size), "CPU-µs/receipt")
		})
	}
}

func spent(b *testing.B) time.Duration {
	b.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		b.Fatal(err)
	}
	return time.Duration(own.Utime.Nano() + own.Stime.Nano())
}
