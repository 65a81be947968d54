// Package fault puts faults between the parts of a cloud: the wires to its caches and
// pages, its database, its store, its bus. They are those by which a real system has
// shown, or could show, somebody what is another's. Each is put in by a schedule and
// drawn from one source of chance, so that the same seed does the same again, and counts
// how often it was really put in.
//
// Nothing of it knows what it carries. The faults are such as a library, a proxy or a
// database makes by itself; the client that is hurt by them is an unmodified one.
package fault

import (
	"math/rand/v2"
	"time"
)

// Place is where a fault acts.
type Place string

// The places.
const (
	OnCache   Place = "cache wire"
	InValues  Place = "values"
	OnPages   Place = "HTTP"
	InArchive Place = "archive"
	InBlobs   Place = "blobs"
	OnBus     Place = "bus"
	InLive    Place = "live streams"
)

// Parts are what faults can be put between. What a cloud does not have is nil.
type Parts struct {
	Cache   *Proxy // before the cache, on [RESP]
	Pages   *Proxy // before the server, on [HTTP]
	Archive *Archive
	Blobs   *Blobs
	Bus     *Bus
	// Patience is how long the cache's clients wait for a reply; what comes late comes
	// after twice as long.
	Patience time.Duration
}

// Fault is an entry of the catalogue. What is done at two places, or in two ways, has
// two of the same ID.
type Fault struct {
	ID    string // F1 to F16
	Name  string
	Does  string // in one sentence
	Where Place
	Seen  string // what must be observed of it, in one sentence
	// Usual is how often it strikes where nothing else is wanted.
	Usual Schedule
	// Inject puts it in; nil if the cloud does not have the part.
	Inject func(p Parts, s Schedule, rng *rand.Rand) *Injection
}

var (
	seldom = Schedule{After: 100, Rate: 1. / 400}
	often  = Schedule{Rate: 1. / 20}
	always = Schedule{Rate: 1}
)

// Catalogue is every fault, in the order of their IDs.
var Catalogue = []Fault{
	{"F1", "reply lost", "A reply of the cache is lost, so that each one behind it answers the question before.", OnCache,
		"No picture of a stranger; the connection is replaced within a second.", seldom, in(cacheOf, (*Proxy).Drop)},
	{"F1", "reply doubled", "A reply of the cache comes twice, so that each one behind it answers the question after.", OnCache,
		"As with a lost one; a client that gives up in a panic is survived.", seldom, in(cacheOf, (*Proxy).Duplicate)},
	{"F2", "neighbours swapped", "Two replies of the cache change places.", OnCache,
		"Both reads are misses.", seldom, in(cacheOf, (*Proxy).Swap)},
	{"F3", "stale reply", "A reply of the cache comes when its asker has given up.", OnCache,
		"As with a lost one.", seldom, func(p Parts, s Schedule, rng *rand.Rand) *Injection {
			if p.Cache == nil {
				return nil
			}
			return p.Cache.Hold(s, rng, 2*p.Patience)
		}},
	{"F4", "connections crossed", "Two connections to the cache change servers in the middle of what they say.", OnCache,
		"As with a lost reply.", seldom, in(cacheOf, (*Proxy).Glue)},
	{"F5", "wrong tenant", "A command reaches another database, or carries another tenant's key.", OnCache,
		"Reads are misses, and so are later ones of what was written to the wrong place.", often, in(cacheOf, (*Proxy).Misaddress)},
	{"F6", "keys collide", "A key's hash is all that the cache sees of it, and that is one of 256.", OnCache,
		"The share of hits falls, and nothing else.", always, in(cacheOf, (*Proxy).Collide)},
	{"F7", "old values", "The cache comes back from a snapshot and holds what held before.", InValues,
		"What is older than the home's newest deeds allow is a miss.", always, in(cacheOf, (*Proxy).Replay)},
	{"F8", "two encodings", "Half of what is stored is written as a server of another version writes it.", InValues,
		"Those reads are misses.", Schedule{Rate: 0.5}, in(cacheOf, (*Proxy).Recode)},
	{"F9", "buffer used again", "Another value lies over a value before it has been sent.", InValues,
		"The read is a miss.", often, in(cacheOf, (*Proxy).Reuse)},
	{"F9", "buffer used again", "Another object's body lies over the beginning of an object's.", InBlobs,
		"The viewer does not open it, and says so.", often, in(blobsOf, (*Blobs).Reuse)},
	{"F10", "rows crossed", "A caller of the database is answered with another caller's row.", InArchive,
		"The key in the row is not the one that was asked for: refused and counted.", often, in(archiveOf, (*Archive).Cross)},
	{"F10", "rows in disorder", "An answer of the database is lost or late, or its rows come twice, or another caller's with them.", InArchive,
		"What has come late or twice changes nothing; the rest is refused and counted.", often, in(archiveOf, (*Archive).Disorder)},
	{"F11", "answers crossed", "Two answers change places between the connections of two pages.", OnPages,
		"The page does not take the answer, and reports it.", often, in(pagesOf, (*Proxy).Glue)},
	{"F11", "answers in disorder", "An answer is lost with its connection, comes twice or late, or says something else by one bit.", OnPages,
		"The page does not take an altered or another's answer, and asks again.", often, in(pagesOf, (*Proxy).Disorder)},
	{"F12", "cache in front", "A cache in front keeps the first answer of each path for everybody, whatever it says about being kept.", OnPages,
		"Nobody is shown what is another's; the page reports it.", always, in(pagesOf, (*Proxy).ByPath)},
	{"F13", "other object", "The store hands out another home's object, or the right one from a wrong place on.", InBlobs,
		"The door refuses another's; the viewer does not open a shifted one.", often, in(blobsOf, (*Blobs).Cross)},
	{"F13", "bodies in disorder", "A stored body breaks off, comes late or twice, or goes on as another home's.", InBlobs,
		"The viewer does not open it, and says so; a late one is shown.", often, in(blobsOf, (*Blobs).Disorder)},
	{"F14", "subjects crossed", "News of one home is delivered where that of another goes.", OnBus,
		"It is not heeded, and what it said is read from the outbox.", often, in(busOf, (*Bus).Cross)},
	{"F14", "news in disorder", "News is lost, comes twice, comes behind later news, or names another home.", OnBus,
		"It is not heeded, and what it said is read from the outbox.", often, in(busOf, (*Bus).Disorder)},
	{"F14", "live subjects crossed", "A live fragment goes over the bus where those of another stream go.", InLive,
		"Whoever watches is not given it; counted, and the next key frame is shown.", often, in(busOf, (*Bus).CrossLive)},
	{"F14", "live fragments exchanged", "Over the bus, in the name of a stream, comes a fragment of another one.", InLive,
		"Whoever watches is not given it; counted, and the next key frame is shown.", often, in(busOf, (*Bus).ExchangeLive)},
	{"F15", "bit rot", "One bit of a cached value is turned over.", InValues,
		"The read is a miss.", often, in(cacheOf, (*Proxy).Rot)},
	{"F15", "bit rot", "One bit of a stored body is turned over.", InBlobs,
		"The viewer does not open it, and says so.", often, in(blobsOf, (*Blobs).Rot)},
	{"F16", "rows rewritten", "Somebody who can write to the database gives another home's rows the key that is asked for.", InArchive,
		"The signatures are another home's: refused by the server, or by the viewer.", often, in(archiveOf, (*Archive).Remap)},
}

// in makes an Inject of a fault of one part.
func in[T any](part func(p Parts) *T, put func(*T, Schedule, *rand.Rand) *Injection) func(Parts, Schedule, *rand.Rand) *Injection {
	return func(p Parts, s Schedule, rng *rand.Rand) *Injection {
		if t := part(p); t != nil {
			return put(t, s, rng)
		}
		return nil
	}
}

func cacheOf(p Parts) *Proxy     { return p.Cache }
func pagesOf(p Parts) *Proxy     { return p.Pages }
func archiveOf(p Parts) *Archive { return p.Archive }
func blobsOf(p Parts) *Blobs     { return p.Blobs }
func busOf(p Parts) *Bus         { return p.Bus }
