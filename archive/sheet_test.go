package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// three are receipts of which each is written otherwise: as asked for, of the same session
// and something else, of another home.
func three() []Receipt {
	a := Receipt{
		Home: latchkey.HomeID{1}, Session: Secret{2}, Request: "r1", Device: latchkey.DeviceID{3}, Asked: "v1/a", Sent: "v1/a",
		Header: sha256.Sum256([]byte("header")), Bytes: 8192, Outcome: Delivered, Time: 1_800_000_000_000_000,
	}
	b, c := a, a
	b.Request, b.Sent, b.Outcome, b.Time = "r2", "v1/b", Misrouted, b.Time+1
	c.Home, c.Asked, c.Sent, c.Header, c.Bytes, c.Outcome = latchkey.HomeID{4}, "", "", [32]byte{}, 0, Damaged
	return []Receipt{a, b, c}
}

// TestSheetVector: a sheet of an earlier release is read for as long as receipts are kept.
func TestSheetVector(t *testing.T) {
	text, err := os.ReadFile("testdata/sheet.hex")
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	got, err := writeSheet(three())
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: three receipts are\n%x, want\n%x", err, got, want)
	}
	if all, err := readSheet(want); err != nil || !cmp.Equal(all, three()) {
		t.Errorf("%v: read (-want +got):\n%s", err, cmp.Diff(three(), all))
	}
}

// TestSheetsKeepReceiptsApart: of two that differ in one thing alone, each is read as it was.
func TestSheetsKeepReceiptsApart(t *testing.T) {
	for what, change := range map[string]func(r *Receipt){
		"home":     func(r *Receipt) { r.Home[31]++ },
		"session":  func(r *Receipt) { r.Session[31]++ },
		"device":   func(r *Receipt) { r.Device[15]++ },
		"request":  func(r *Receipt) { r.Request = "r2" },
		"question": func(r *Receipt) { r.Asked = "v1/b" },
		"answer":   func(r *Receipt) { r.Sent = "v1/b" },
		"header":   func(r *Receipt) { r.Header[31]++ },
		"size":     func(r *Receipt) { r.Bytes++ },
		"outcome":  func(r *Receipt) { r.Outcome = Damaged },
		"time":     func(r *Receipt) { r.Time++ },
	} {
		two := []Receipt{three()[0], three()[0]}
		change(&two[1])
		b, err := writeSheet(two)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readSheet(b); err != nil || !cmp.Equal(got, two) {
			t.Errorf("with another %s: %v (-want +got):\n%s", what, err, cmp.Diff(two, got))
		}
	}
}

// openArchive is an archive with one receipt.
func openArchive(t *testing.T) (*SQLite, Receipt) {
	s, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "latchkey.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r := three()[0]
	if err := s.PutReceipts(t.Context(), []Receipt{r}); err != nil {
		t.Fatal(err)
	}
	return s, r
}

// TestDamagedReceipts: what is none of what belongs into a column is an error, and not taken
// for no receipt.
func TestDamagedReceipts(t *testing.T) {
	part := markOf(three()[0].Session, three()[0].Request).part()
	for what, tt := range map[string]struct {
		damage string
		want   error
	}{
		"half a sheet":        {`UPDATE sheets SET list = substr(list, 1, length(list) - 1)`, wire.ErrTruncated},
		"a sheet of one byte": {`UPDATE sheets SET list = x'01'`, wire.ErrTruncated},
		"half an entry":       {fmt.Sprintf(`INSERT INTO lots (part, lot, entries) SELECT %d, 0, CAST(marks || x'00' AS BLOB) FROM sheets`, part), errMarks},
		"an entry and a half": {fmt.Sprintf(`INSERT INTO lots (part, lot, entries) SELECT %d, 0, CAST(marks || x'0001' || marks AS BLOB) FROM sheets`, part), errMarks},
		"half a mark": {`INSERT INTO sheets (number, time, marks, list)
			SELECT n, time, substr(marks, 2), list FROM sheets, (SELECT 2 AS n UNION SELECT 1 << 14)`, errMarks},
	} {
		s, r := openArchive(t)
		if _, err := s.write.Exec(tt.damage); err != nil {
			t.Fatal(err)
		}
		_, err := s.Receipts(t.Context(), r.Home, r.Session, r.Request)
		if err = errors.Join(err, s.Sweep(t.Context(), 0, 0)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", what, err, tt.want)
		}
	}
}

// TestEntriesOfOthers: however many of a lot's entries are others', its own is found. Where
// an entry's end and the next one's beginning spell the mark there is none.
func TestEntriesOfOthers(t *testing.T) {
	s, r := openArchive(t)
	m := markOf(r.Session, r.Request)
	var lot []byte
	for n := range uint16(mostSheets + 1) {
		lot = binary.BigEndian.AppendUint16(append(lot, append(m[1:], m[0])...), 2+n)
	}
	lot = append(append(lot, m[:]...), 0, 1)
	if _, err := s.write.Exec(`INSERT INTO lots (part, lot, entries) VALUES (?, 0, ?)`, m.part(), lot); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Receipts(t.Context(), r.Home, r.Session, r.Request); err != nil || !cmp.Equal(got, []Receipt{r}) {
		t.Errorf("the one receipt among %d others: %v, %v", mostSheets+1, got, err)
	}
}

// TestSheetRefusals: there is one spelling.
func TestSheetRefusals(t *testing.T) {
	write := func(all ...Receipt) []byte {
		b, err := writeSheet(all)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r := three()
	one, two := write(r[0]), write(r[0], r[1])
	with := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	apart := append(bytes.Clone(one), write(r[1])[1:]...)
	headless := append([]byte{sheetVersion, sentAsAsked | sameSession}, one[2+32+32+16:]...)
	asked := bytes.Replace(two, []byte("v1/b"), []byte("v1/a"), 1)
	for what, tt := range map[string]struct {
		sheet []byte
		want  error
	}{
		"nothing":                                    {nil, wire.ErrTruncated},
		"a sheet of nothing":                         {one[:1], wire.ErrTruncated},
		"a later version":                            {with(one, 0, 2), wire.ErrMalformed},
		"half a receipt":                             {two[:len(two)-1], wire.ErrTruncated},
		"a bit that means nothing":                   {with(one, 1, 2|4), wire.ErrMalformed},
		"the first of the session before":            {headless, wire.ErrMalformed},
		"the same session spelled again":             {apart, wire.ErrMalformed},
		"what was asked for spelled again":           {asked, wire.ErrMalformed},
		"an outcome that there is not":               {with(one, len(one)-9, 3), wire.ErrMalformed},
		"a time that a browser would not read whole": {with(one, len(one)-8, 1), wire.ErrMalformed},
	} {
		if all, err := readSheet(tt.sheet); !errors.Is(err, tt.want) || all != nil {
			t.Errorf("%s: %v, %v", what, all, err)
		}
	}
	for what, change := range map[string]func(r *Receipt){
		"an outcome that there is not": func(r *Receipt) { r.Outcome = "" },
		"a long name":                  func(r *Receipt) { r.Sent = strings.Repeat("a", maxText+1) },
		"a long ID":                    func(r *Receipt) { r.Request = strings.Repeat("a", maxText+1) },
		"too many bytes":               func(r *Receipt) { r.Bytes = latchkey.MaxInt + 1 },
		"too late":                     func(r *Receipt) { r.Time = latchkey.MaxInt + 1 },
	} {
		bad := r[0]
		change(&bad)
		if b, err := writeSheet([]Receipt{r[0], bad}); err == nil {
			t.Errorf("%s is written as %x", what, b)
		}
	}
}

// FuzzReadSheet: what is read is written as the same bytes.
func FuzzReadSheet(f *testing.F) {
	b, err := writeSheet(three())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := readSheet(b)
		if err != nil {
			return
		}
		if again, err := writeSheet(all); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%v: %x is read and written as %x", err, b, again)
		}
	})
}
