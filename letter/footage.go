package letter

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/fields"
)

// The limits of what is read of footage: a reply is one letter of at most 1 MiB, of which
// so much may be pictures.
const (
	MaxCarried = 896 << 10 // bytes behind the JSON of a reply
	MaxPieces  = 200       // of a footage reply; stills of a stills reply

	// MaxTimeline is how long a timeline is at most, in microseconds: a day of 25 hours
	// lies in three of UTC.
	MaxTimeline = 3 * 24 * 3600 * 1_000_000

	maxSpans  = 10_000
	maxMotion = MaxTimeline/60_000_000 + 1
	maxInit   = 64 << 10
	maxType   = 200
	maxGroup  = 32 << 20
	maxLasts  = 60 * 1_000_000
)

// Stretch is a span of a camera's time, from From up to Until.
type Stretch struct {
	From  latchkey.Time `json:"from"`
	Until latchkey.Time `json:"until"`
}

// Of is a stretch of one camera.
type Of struct {
	Camera latchkey.CameraID `json:"camera"`
	Stretch
}

// Timeline asks what there is of some cameras' footage. It is answered by [Timelines].
type Timeline struct {
	Cameras []latchkey.CameraID `json:"cameras"`
	Track   string              `json:"track"` // main or sub
	Stretch
}

// Stills asks for pictures of a camera's filmstrip. It is answered by [Strip].
type Stills struct {
	Of
	Most int64 `json:"most"` // one for each so-manieth part of the time
}

// Footage asks for what was recorded, from a group on. It is answered by [Pieces].
type Footage struct {
	Of
	Track  string `json:"track"`  // main or sub
	Group  int64  `json:"group"`  // the sequence of the first that is wanted, 0 for any
	Offset int64  `json:"offset"` // in that group
	Most   int64  `json:"most"`   // bytes
}

// Save has a stretch of a camera's footage kept until [Unsave]. It is answered by [Done].
type Save struct{ Of }

// Unsave ends what [Save] began for exactly that stretch. It is answered by [Done].
type Unsave struct{ Of }

// DeleteFootage removes a stretch of a camera's footage. It is answered by [Done].
type DeleteFootage struct{ Of }

// Do is "timeline".
func (Timeline) Do() string { return "timeline" }

// Do is "stills".
func (Stills) Do() string { return "stills" }

// Do is "footage".
func (Footage) Do() string { return "footage" }

// Do is "save".
func (Save) Do() string { return "save" }

// Do is "unsave".
func (Unsave) Do() string { return "unsave" }

// Do is "delete-footage".
func (DeleteFootage) Do() string { return "delete-footage" }

// Hole is a time of which there are no pictures, and why.
type Hole struct {
	Stretch
	Reason string `json:"reason"` // for programs, of docs/footage.md
	Says   string `json:"says"`   // for people
	Loss   bool   `json:"loss"`   // something is missing that its owner wanted kept
}

// CameraTimeline is what there is of one camera.
type CameraTimeline struct {
	Camera   latchkey.CameraID `json:"camera"`
	Pictures []Stretch         `json:"pictures"` // when there are some
	Holes    []Hole            `json:"holes"`    // everything else, up to now
	Motion   []byte            `json:"motion"`   // the most that moved in each minute, from the one that From is in; empty if nothing did
	Saved    []Stretch         `json:"saved"`
}

// Timelines are those of the cameras that were asked for, as far as they fit into a
// letter: those that are missing are to be asked for again.
type Timelines struct {
	Cameras []CameraTimeline `json:"timelines"`
}

// Shot is one picture of a filmstrip.
type Shot struct {
	Time latchkey.Time
	JPEG []byte
}

// Strip are pictures of a filmstrip, in order.
type Strip struct {
	Stills []Shot
	Until  latchkey.Time // up to which the question is answered; the rest is to be asked for
}

// Piece is a group of footage, or a part of one that is larger than a letter. Group after
// group, in order, its bytes are movie fragments of MP4.
type Piece struct {
	Sequence int64         `json:"sequence"` // counts the camera's groups, from 1
	Time     latchkey.Time `json:"time"`     // of the group's first picture
	Lasts    int64         `json:"lasts"`    // microseconds
	Key      bool          `json:"key"`      // a decoder can begin here
	Motion   int64         `json:"motion"`   // how much moves in it, 0 to 255
	Damaged  bool          `json:"damaged"`  // it was recorded, and does not verify: nothing of it is shown
	Offset   int64         `json:"offset"`   // of the bytes in the group
	Of       int64         `json:"of"`       // how many bytes the group has
	Bytes    []byte        `json:"-"`
}

// Pieces are what was recorded, in the order in which it was, and all coded alike.
type Pieces struct {
	Type   string
	Init   []byte // what a player needs before the first group
	Pieces []Piece
	More   bool // there is more, from that group on, which may be coded otherwise
	Group  int64
	Offset int64
}

// Last is true.
func (Timelines) Last() bool { return true }

// Last is true.
func (Strip) Last() bool { return true }

// Last is true.
func (Pieces) Last() bool { return true }

func (r Timelines) clean() any {
	for i, c := range r.Cameras {
		for j, h := range c.Holes {
			c.Holes[j].Reason, c.Holes[j].Says = word(h.Reason), says(h.Says)
		}
		r.Cameras[i].Pictures, r.Cameras[i].Saved = append([]Stretch{}, c.Pictures...), append([]Stretch{}, c.Saved...)
		r.Cameras[i].Holes, r.Cameras[i].Motion = append([]Hole{}, c.Holes...), append([]byte{}, c.Motion...)
	}
	r.Cameras = append([]CameraTimeline{}, r.Cameras...)
	return r
}

func (r Strip) clean() any  { return r }
func (r Pieces) clean() any { return r }

// carrier is a reply that has bytes behind its JSON.
type carrier interface {
	Reply
	// carried are its bytes.
	carried() []byte
	// with is the reply with those bytes.
	with(b []byte) (Reply, error)
}

func (r Strip) carried() (b []byte) {
	for _, s := range r.Stills {
		b = append(b, s.JPEG...)
	}
	return b
}

// MarshalJSON writes what stands before the bytes.
func (r Strip) MarshalJSON() ([]byte, error) {
	type shot struct {
		Time  latchkey.Time `json:"time"`
		Bytes int           `json:"bytes"`
	}
	all := []shot{}
	for _, s := range r.Stills {
		all = append(all, shot{s.Time, len(s.JPEG)})
	}
	return json.Marshal(map[string]any{"stills": all, "until": r.Until})
}

// with takes for each still as many bytes as it has room for.
func (r Strip) with(b []byte) (Reply, error) {
	for i, s := range r.Stills {
		var err error
		if r.Stills[i].JPEG, b, err = cut(b, len(s.JPEG)); err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(r.Stills[i].JPEG, []byte{0xff, 0xd8, 0xff}) || len(s.JPEG) < 4 {
			return nil, fmt.Errorf("still %d is no JPEG", i)
		}
	}
	return r, spent(b)
}

func (r Pieces) carried() (b []byte) {
	for _, p := range r.Pieces {
		b = append(b, p.Bytes...)
	}
	return b
}

// MarshalJSON writes what stands before the bytes.
func (r Pieces) MarshalJSON() ([]byte, error) {
	type piece struct {
		Piece
		Bytes int `json:"bytes"`
	}
	all := []piece{}
	for _, p := range r.Pieces {
		all = append(all, piece{p, len(p.Bytes)})
	}
	return json.Marshal(map[string]any{
		"type": r.Type, "init": append([]byte{}, r.Init...), "pieces": all, "more": r.More, "group": r.Group, "offset": r.Offset,
	})
}

func (r Pieces) with(b []byte) (Reply, error) {
	for i, p := range r.Pieces {
		var err error
		if r.Pieces[i].Bytes, b, err = cut(b, len(p.Bytes)); err != nil {
			return nil, err
		}
	}
	return r, spent(b)
}

// cut takes so many bytes off.
func cut(b []byte, n int) (first, rest []byte, err error) {
	if n > len(b) {
		return nil, nil, fmt.Errorf("%d bytes where %d belong", len(b), n)
	}
	return b[:n:n], b[n:], nil
}

func spent(b []byte) error {
	if len(b) > 0 {
		return fmt.Errorf("%d bytes that belong to nothing", len(b))
	}
	return nil
}

func readStretch(o fields.Object) Stretch {
	s := Stretch{readTime(o, "from"), readTime(o, "until")}
	if s.From >= s.Until {
		o.Refuse("a stretch of no length")
	}
	return s
}

func readOf(o fields.Object) Of { return Of{readCamera(o), readStretch(o)} }

func readTrack(o fields.Object) string { return o.OneOf("track", "main", "sub") }

func readTimeline(o fields.Object) Timeline {
	t := Timeline{Track: readTrack(o), Stretch: readStretch(o)}
	if t.Until-t.From > MaxTimeline {
		o.Refuse("a timeline of more than three days")
	}
	for _, raw := range o.Raw("cameras", deed.MaxCameras) {
		var id latchkey.CameraID
		if err := json.Unmarshal(raw, &id); err != nil {
			o.Refuse("%w", err)
		}
		t.Cameras = append(t.Cameras, id)
	}
	return t
}

func readFootage(o fields.Object) Footage {
	return Footage{
		Of: readOf(o), Track: readTrack(o), Group: o.Count("group"), Offset: o.Int("offset", 0, maxGroup), Most: o.Int("most", 1, MaxCarried),
	}
}

func (Timeline) parseReply(o fields.Object) Reply {
	var r Timelines
	for _, c := range o.List("timelines", deed.MaxCameras) {
		t := CameraTimeline{Camera: readCamera(c), Motion: c.Bytes("motion", maxMotion)}
		for _, s := range c.List("pictures", maxSpans) {
			t.Pictures = append(t.Pictures, readStretch(s))
		}
		for _, h := range c.List("holes", maxSpans) {
			t.Holes = append(t.Holes, Hole{readStretch(h), filled(h, "reason", maxWord), h.Text("says", maxSays), h.Bool("loss")})
		}
		for _, s := range c.List("saved", maxSpans) {
			t.Saved = append(t.Saved, readStretch(s))
		}
		r.Cameras = append(r.Cameras, t)
	}
	return r
}

// readRoom makes room for the bytes of one picture, as long as all have room in a letter.
func readRoom(o fields.Object, least, most int64, room *int64) []byte {
	n := o.Int("bytes", least, most)
	if *room -= n; *room < 0 {
		o.Refuse("more bytes than a letter carries")
		return nil
	}
	return make([]byte, n)
}

func (Stills) parseReply(o fields.Object) Reply {
	r := Strip{Until: readTime(o, "until")}
	room := int64(MaxCarried)
	for _, s := range o.List("stills", MaxPieces) {
		r.Stills = append(r.Stills, Shot{readTime(s, "time"), readRoom(s, 4, maxStill, &room)})
	}
	return r
}

func (Footage) parseReply(o fields.Object) Reply {
	r := Pieces{
		Type: o.Text("type", maxType), Init: o.Bytes("init", maxInit), More: o.Bool("more"), Group: o.Count("group"), Offset: o.Int("offset", 0, maxGroup),
	}
	room := int64(MaxCarried)
	for _, p := range o.List("pieces", MaxPieces) {
		one := Piece{
			Sequence: p.Count("sequence"), Time: readTime(p, "time"), Lasts: p.Int("lasts", 0, maxLasts), Key: p.Bool("key"),
			Motion: p.Int("motion", 0, 255), Damaged: p.Bool("damaged"), Offset: p.Int("offset", 0, maxGroup), Of: p.Int("of", 0, maxGroup),
			Bytes: readRoom(p, 0, MaxCarried, &room),
		}
		if n := int64(len(one.Bytes)); one.Offset+n > one.Of || one.Damaged != (n == 0) {
			p.Refuse("%d bytes at %d of a group of %d", n, one.Offset, one.Of)
		}
		r.Pieces = append(r.Pieces, one)
	}
	return r
}

func (Save) parseReply(fields.Object) Reply          { return Done{} }
func (Unsave) parseReply(fields.Object) Reply        { return Done{} }
func (DeleteFootage) parseReply(fields.Object) Reply { return Done{} }
