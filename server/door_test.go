package server_test

import (
	"context"
	"database/sql"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// crossBlobs exchanges two files behind the server's back.
func (h *house) crossBlobs(t *testing.T, a, b latchkey.Name) {
	t.Helper()
	at := func(n latchkey.Name) string {
		return filepath.Join(h.blobs, "objects", filepath.FromSlash(n.String()))
	}
	aside := filepath.Join(h.blobs, "aside")
	for _, move := range [][2]string{{at(a), aside}, {at(b), at(a)}, {aside, at(b)}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
}

// crossRows exchanges the headers of two rows behind the server's back.
func (h *house) crossRows(t *testing.T, a, b latchkey.Name) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(h.file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var headers [2][]byte
	for i, n := range []latchkey.Name{a, b} {
		if err := db.QueryRow(`SELECT header FROM objects WHERE home = ? AND object = ?`, n.Home[:], n.Object[:]).Scan(&headers[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range []latchkey.Name{b, a} {
		if _, err := db.Exec(`UPDATE objects SET header = ? WHERE home = ? AND object = ?`, headers[i], n.Home[:], n.Object[:]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrossedBlobs: two objects lie under each other's names, of two homes and of two
// cameras of one. Nobody gets a byte of the wrong one, it is counted, logged, and a
// report of it is confirmed.
func TestCrossedBlobs(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	before := m.owner.Title().Head()
	second := m.owner.PlaceCamera(m.agent)
	m.append(before)
	for what, cross := range map[string]func() (mine, found latchkey.Name){
		"two homes": func() (latchkey.Name, latchkey.Name) {
			return m.stored(latchkey.Thumbnail, "mine").Name(), other.stored(latchkey.Thumbnail, "SECRET of the other home").Name()
		},
		"two cameras": func() (latchkey.Name, latchkey.Name) {
			o := m.agent.Object(m.owner.Title(), second, latchkey.Thumbnail, []byte("SECRET of the other camera"))
			if err := m.put(o); err != nil {
				t.Fatal(err)
			}
			return m.stored(latchkey.Thumbnail, "mine").Name(), o.Name()
		},
		"two objects of one camera": func() (latchkey.Name, latchkey.Name) {
			return m.stored(latchkey.Thumbnail, "one").Name(), m.stored(latchkey.Thumbnail, "two").Name()
		},
	} {
		counted, logged := h.metric(t, "latchkey_misroutes_total", "where=blob", "confirmed=true"), len(h.logs.lines(t, "misroute"))
		mine, found := cross()
		h.crossBlobs(t, mine, found)
		answer, text := h.do(t, raw{method: "GET", path: objectPath(mine), header: with(m.asPage(), "X", "y"), mac: m.mac()})
		if answer.StatusCode != 502 || !strings.Contains(text, `"reason":"misroute"`) || strings.Contains(text, found.String()) {
			t.Errorf("%s: %d %.300q", what, answer.StatusCode, text)
		}
		if n := h.metric(t, "latchkey_misroutes_total", "where=blob", "confirmed=true"); n != counted+1 {
			t.Errorf("%s: counted %v times", what, n-counted)
		}
		lines := slices.DeleteFunc(h.logs.lines(t, "misroute")[logged:], func(line map[string]any) bool { return line["where"] == "origin" }) // of the cache
		if len(lines) != 1 || lines[0]["level"] != "ERROR" || lines[0]["asked"] != mine.String() || lines[0]["found"] != found.String() {
			t.Errorf("%s: the log says %v", what, lines)
		}
		report := api.Report{Delivery: "test", Asked: mine.String(), Reason: "misroute", Word: sealed.Misroute, Header: []byte{}}
		if confirmed, err := m.member.Report(t.Context(), report); err != nil || !confirmed {
			t.Errorf("%s: the report is confirmed: %t, %v", what, confirmed, err)
		}
		h.crossBlobs(t, mine, found) // back
		if _, _, err := m.get(mine); err != nil {
			t.Errorf("%s: put right again: %v", what, err)
		}
	}
}

// TestCrossedBlobsControl builds this test with the door's comparison removed and wants
// it to fail because the other home's bytes come out.
func TestCrossedBlobsControl(t *testing.T) {
	control(t, "TestCrossedBlobs", []string{`200 "latchkey object 1`}, sabotage.Cut{
		File: "server/door.go", Old: "fault := compare(q.Name, x.row, object.Header)", New: "fault := archive.Delivered",
	})
}

// controls is what all controls of this package run.
var controls = &sabotage.Program{Root: ".."}

// control runs tests without some checks, beside other tests, and wants them to fail and
// to say each of these.
func control(t *testing.T, test string, wants []string, cuts ...sabotage.Cut) {
	t.Helper()
	without := controls.Without(t, cuts...)
	t.Parallel()
	sees(t, without, test, wants...)
}

func sees(t *testing.T, without sabotage.Control, test string, wants ...string) (says string) {
	t.Helper()
	out, err := without.Tests(t.Context(), "^"+test+"$")
	for _, want := range wants {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("with the check removed %s does not say %q: %v\n%s", test, want, err, out)
		}
	}
	return string(out)
}

// TestCrossedRows: the headers of two rows are exchanged. The list names the row and
// shows nothing of it, the object is not handed out, and a report is confirmed.
func TestCrossedRows(t *testing.T) {
	h := openHouse(t, uncached)
	m, other := h.found(t), h.found(t)
	mine, theirs := m.stored(latchkey.Thumbnail, "mine").Name(), other.stored(latchkey.Thumbnail, "theirs").Name()
	h.crossRows(t, mine, theirs)
	answer, text := h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage(), mac: m.mac()})
	if want := `"objects":[{"name":"` + mine.String() + `","problem":"misroute"}]`; answer.StatusCode != 200 || !strings.Contains(text, want) {
		t.Errorf("the list is %s", text)
	}
	for _, part := range []string{theirs.Home.String(), theirs.Camera.String(), theirs.Object.String(), `"header"`} {
		if strings.Contains(text, part) {
			t.Errorf("the list shows %s of another home", part)
		}
	}
	for _, asked := range []string{"", mine.String()} {
		report := api.Report{Delivery: "test", Asked: asked, Reason: "misroute", Word: sealed.Misroute, Header: []byte{}}
		if confirmed, err := m.member.Report(t.Context(), report); err != nil || !confirmed {
			t.Errorf("the report about %q is confirmed: %t, %v", asked, confirmed, err)
		}
	}
	_, _, err := m.get(mine)
	wantReason(t, "the object of a crossed row", err, api.Misroute)
	if n := h.metric(t, "latchkey_misroutes_total", "where=row", "confirmed=true"); n != 2 {
		t.Errorf("counted %v times, want 2", n)
	}
	if n := len(h.logs.lines(t, "misroute")); n != 4 { // two here, two reports
		t.Errorf("%d alarms", n)
	}
}

func TestCrossedRowsControl(t *testing.T) {
	control(t, "TestCrossedRows", []string{"of another home"}, sabotage.Cut{File: "archive/row.go", Old: "!k.fits(h)", New: "false"})
}

// TestReportsAreNotVerdicts: any member could lie.
func TestReportsAreNotVerdicts(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	theirs := other.stored(latchkey.Thumbnail, "theirs")
	if answer, _ := h.do(t, raw{method: "GET", path: objectPath(o.Name()), header: m.asPage(), mac: m.mac()}); answer.StatusCode != 200 {
		t.Fatal(answer.Status)
	}
	header, foreign := o.File.Header.Bytes(), theirs.File.Header.Bytes()
	for name, r := range map[string]api.Report{
		"of a good delivery":        {Delivery: "test", Asked: o.Name().String(), Reason: "wrong-home", Word: sealed.Misroute, Header: header},
		"with another's header":     {Delivery: "test", Asked: o.Name().String(), Reason: "wrong-home", Word: sealed.Misroute, Header: foreign},
		"of no delivery":            {Delivery: "never", Asked: o.Name().String(), Reason: "wrong-home", Word: sealed.Misroute, Header: foreign},
		"of a list":                 {Delivery: "test", Asked: "", Reason: "wrong-home", Word: sealed.Misroute, Header: foreign},
		"that it does not open":     {Delivery: "test", Asked: o.Name().String(), Reason: "chunk", Word: sealed.Corrupt, Header: header},
		"that there is no envelope": {Delivery: "test", Asked: o.Name().String(), Reason: "no-envelope", Word: sealed.UnknownKey, Header: header},
	} {
		if confirmed, err := m.member.Report(t.Context(), r); err != nil || confirmed {
			t.Errorf("a report %s is confirmed: %t, %v", name, confirmed, err)
		}
	}
	if n := h.metric(t, "latchkey_misroutes_total", "where=report", "confirmed=false"); n != 4 {
		t.Errorf("%v unconfirmed misroutes counted, want 4", n)
	}
	if n := h.metric(t, "latchkey_misroutes_total", "confirmed=true"); n != 0 {
		t.Errorf("%v misroutes are confirmed on nobody's word but a member's", n)
	}
	for name, r := range map[string]api.Report{
		"about another home":      {Delivery: "test", Asked: theirs.Name().String(), Reason: "wrong-home", Word: sealed.Misroute, Header: []byte{}},
		"with a made-up word":     {Delivery: "test", Asked: "", Reason: "wrong-home", Word: "disaster", Header: []byte{}},
		"with a made-up reason":   {Delivery: "test", Asked: "", Reason: "a story\nlevel=ERROR", Word: sealed.Misroute, Header: []byte{}},
		"with a delivery of text": {Delivery: "a b", Asked: "", Reason: "wrong-home", Word: sealed.Misroute, Header: []byte{}},
		"with a long header":      {Delivery: "test", Asked: "", Reason: "wrong-home", Word: sealed.Misroute, Header: make([]byte, 1000)},
	} {
		_, err := m.member.Report(t.Context(), r)
		wantReason(t, "a report "+name, err, api.Malformed)
	}
	var last error
	for range 200 {
		if _, last = m.member.Report(t.Context(), api.Report{Delivery: "x", Reason: "chunk", Word: sealed.Corrupt, Header: []byte{}}); last != nil {
			break
		}
	}
	wantReason(t, "200 reports in a minute", last, api.Busy)
}

func TestDamagedBlobs(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	at := filepath.Join(h.blobs, "objects", filepath.FromSlash(o.Name().String()))
	whole := must(os.ReadFile(at))
	another := m.agent.Sign(o.File.Header.Binding, []byte("other body of that length"))
	for name, b := range map[string][]byte{
		"cut": whole[:len(whole)-1], "longer": append(append([]byte{}, whole...), 0), "empty": {}, "another file": []byte("<html>"),
		"the right name on another body": append(sealed.File{Header: another}.Bytes(), "other body of that length"...),
	} {
		if err := os.WriteFile(at, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := m.get(o.Name())
		wantReason(t, name, err, api.Corrupt)
	}
	if err := os.Remove(at); err != nil {
		t.Fatal(err)
	}
	_, _, err := m.get(o.Name())
	wantReason(t, "gone", err, api.Corrupt)
	if n := h.metric(t, "latchkey_deliveries_total", "outcome=corrupt"); n != 6 {
		t.Errorf("counted %v times, want 6", n)
	}
	if n := h.metric(t, "latchkey_misroutes_total"); n != 0 {
		t.Errorf("damage is counted as %v misroutes", n)
	}
}

// TestDamagedBodyIsNoticed: a bit of a stored body has turned over. The server says so at
// the first read, keeps nothing of it, and has the right one as soon as the store has.
func TestDamagedBodyIsNoticed(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	name := m.stored(latchkey.Thumbnail, "mine").Name()
	file := filepath.Join(h.blobs, "objects", filepath.FromSlash(name.String()))
	whole := must(os.ReadFile(file))
	for _, flip := range []byte{1, 0} {
		stored := slices.Clone(whole)
		stored[len(stored)-1] ^= flip
		if err := os.WriteFile(file, stored, 0o600); err != nil {
			t.Fatal(err)
		}
		before := h.metric(t, "latchkey_corrupt_total")
		status, text := h.do(t, raw{method: "GET", path: objectPath(name), header: m.asPage(), mac: m.mac()})
		if right := strings.HasSuffix(text, string(whole[len(whole)-8:])); status.StatusCode != 200 || right != (flip == 0) {
			t.Errorf("with %d flipped: %d, the right one: %t", flip, status.StatusCode, right)
		}
		if n := h.metric(t, "latchkey_corrupt_total") - before; n != float64(flip) {
			t.Errorf("with %d flipped it is counted %v times", flip, n)
		}
	}
	large := m.stored(latchkey.Thumbnail, strings.Repeat("x", 70<<10)).Name() // too large to be kept, and not damaged
	if status, _ := h.do(t, raw{method: "GET", path: objectPath(large), header: m.asPage(), mac: m.mac()}); status.StatusCode != 200 {
		t.Errorf("a large picture: %d", status.StatusCode)
	}
	if lines := h.logs.lines(t, "corrupt"); len(lines) != 1 || lines[0]["name"] != name.String() {
		t.Errorf("the log says %v", lines)
	}
}

// openings counts the bodies of a store that are open.
type openings struct {
	blob.Store
	made, open atomic.Int64
}

func (o *openings) Open(ctx context.Context, name latchkey.Name) (blob.Object, error) {
	object, err := o.Store.Open(ctx, name)
	if err == nil {
		o.made.Add(1)
		o.open.Add(1)
		object.Body = &opening{object.Body, o}
	}
	return object, err
}

type opening struct {
	io.ReadCloser
	of *openings
}

func (o *opening) Close() error {
	o.of.open.Add(-1)
	return o.ReadCloser.Close()
}

// TestEveryBodyIsClosed: whatever comes of a request, nothing of the store stays open.
func TestEveryBodyIsClosed(t *testing.T) {
	var store *openings
	h := openHouse(t, func(c *server.Config) {
		store = &openings{Store: c.Blobs}
		c.Blobs = store
	})
	m := h.settle(t)
	large := strings.Repeat("x", 70<<10)
	crossed := m.stored(latchkey.Thumbnail, "crossed").Name()
	h.crossRows(t, crossed, m.stored(latchkey.Thumbnail, "with this").Name())
	for what, name := range map[string]latchkey.Name{
		"a clip": m.stored(latchkey.Clip, "clip").Name(), "a large clip": m.stored(latchkey.Clip, large).Name(),
		"a picture": m.stored(latchkey.Thumbnail, "picture").Name(), "a large picture": m.stored(latchkey.Thumbnail, large).Name(),
		"a crossed row": crossed,
	} {
		for _, who := range []string{owner, guest} { // who sees the camera and has no envelope
			want := map[string]int{owner: 200, guest: 404}[who]
			if name == crossed {
				want = 502
			}
			if answer, text := m.request(t, who, "GET", objectPath(name), ""); answer.StatusCode != want {
				t.Errorf("%s for %s: %d %.100q", what, who, answer.StatusCode, text)
			}
		}
	}
	eventually(t, "every body is closed", func() bool { return store.open.Load() == 0 })
	if store.made.Load() == 0 {
		t.Error("none was opened")
	}
}
