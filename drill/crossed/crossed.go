// Package crossed drills crossed wires: a cloud whose cache, database, blobs, bus and
// connections mix up whose picture is whose, while everything comes back from an outage.
//
// The same faults, from the same seed, go through four arms: the architecture that many
// camera clouds have, the same with a stamp that is compared before a picture is shown,
// the cache's client libraries alone, and Latchkey. The first three are built of stock
// parts and hold no planted bug. They are the control: if strangers' pictures do not get
// through them, that none gets through Latchkey says nothing.
//
// Whose picture it is stands inside of each, where only the viewer of the drill looks.
package crossed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/drill"
	"github.com/latchkey-cam/latchkey/drill/fault"
)

// Config is how much of a drill it shall be.
type Config struct {
	// Dir is an empty folder for the clouds.
	Dir string
	// Homes is how many homes a cloud has.
	Homes int
	// Reads is how many reads more are made in this process, through a cache without a
	// cloud around it. Zero: none.
	Reads int64
	// Seed is where all chance comes from, but for keys and for who comes first.
	Seed uint64
	// Cache is the address of a Redis or Valkey to use, host and port. Of it only keys
	// that begin with "latchkey-drill" are touched. Empty: one in this process.
	Cache string
	// NoFaults leaves the faults out; such a drill proves nothing, and fails.
	NoFaults bool
	// Child makes the process of a control arm's server.
	Child Child
	// Tell is called with a sentence when there is something to say, one at a time. Nil:
	// nobody is told.
	Tell func(sentence string)
}

// drilling is a drill under way.
type drilling struct {
	config Config
	scenes []fault.Fault // that are played
	homes  []*home
	known  map[latchkey.HomeID]bool

	mu     sync.Mutex // protects result
	result Result
}

// Run drills. The error is for a drill that could not be carried out.
func Run(ctx context.Context, c Config) (Result, error) {
	began := time.Now()
	var telling sync.Mutex // the arms do it at the same time
	tell := c.Tell
	c.Tell = func(sentence string) {
		telling.Lock()
		defer telling.Unlock()
		if tell != nil {
			tell(sentence)
		}
	}
	d := &drilling{config: c, scenes: catalogue(), result: Result{Homes: c.Homes, Seed: c.Seed, Cache: c.Cache}}
	if c.Cache == "" {
		d.result.Cache = "embedded"
	}
	if c.NoFaults {
		d.scenes = d.scenes[:1]
	}
	var err error
	if d.homes, err = makeHomes(ctx, c.Homes, d.progress("made the keys of %d of %d homes", c.Homes)); err != nil {
		return d.result, err
	}
	d.known = map[latchkey.HomeID]bool{}
	for _, h := range d.homes {
		d.known[h.id()] = true
	}
	if err := d.drillArms(ctx); err != nil {
		return d.result, err
	}
	if c.Reads > 0 && !c.NoFaults {
		if d.result.Flood, err = FloodCache(ctx, c.Reads, c.Seed, d.progress("verified %d of %d reads in process", int(c.Reads))); err != nil {
			return d.result, err
		}
	}
	d.result.sum()
	d.result.Seconds = time.Since(began).Seconds()
	d.result.judge()
	return d.result, nil
}

// progress says how far something has come, every few seconds.
func (d *drilling) progress(format string, of int) func(done int) {
	var mu sync.Mutex
	told := time.Now()
	return func(done int) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(told) >= tellEvery {
			told = time.Now()
			d.config.Tell(fmt.Sprintf(format, done, of))
		}
	}
}

const tellEvery = 2 * time.Second

// part is an arm, or one client of it: those of the stock clients share one.
type part struct {
	arm    *Arm
	name   string // of its folders, and in its keys
	with   string // the client, if an arm has several
	clouds int    // that play its scenes
	open   func(ctx context.Context, name string) (cloud, func() error, error)

	next   atomic.Int64 // the scene that nobody plays yet
	scenes []*Scene     // in the order of the catalogue; nil: it has no place for the fault
}

// abreast is how many clouds a control arm has, or each of its clients. Most of their time
// goes into waiting whether they heal.
const abreast = 4

// drillArms drills the control arms, all at the same time, while Latchkey's homes are
// founded; and then Latchkey with nothing beside it, so that its times are its own.
func (d *drilling) drillArms(ctx context.Context) (err error) {
	if err := fileFirst(d.first(), d.homes); err != nil {
		return err
	}
	controls, ours := d.arms()
	var c cloud
	var stop func() error
	defer func() {
		if stop != nil {
			err = errors.Join(err, stop())
		}
	}()
	err = drill.Each(ctx, 1+len(controls), 1+len(controls), func(int) {}, func(ctx context.Context, i int) (err error) {
		if i == 0 {
			c, stop, err = ours.open(ctx, ours.name)
			return err
		}
		return d.drill(ctx, controls[i-1])
	})
	if err != nil {
		return err
	}
	if err := d.play(ctx, c, ours); err != nil {
		return err
	}
	for _, p := range append(controls, ours) {
		for _, s := range p.scenes {
			if s != nil {
				p.arm.Scenes = append(p.arm.Scenes, *s)
			}
		}
	}
	return nil
}

// arms are the parts of the control arms, and Latchkey.
func (d *drilling) arms() (controls []*part, ours *part) {
	arms := []Arm{
		{Name: Arm2024, Control: true, Says: "A server whose cache remembers whose a device is, and its thumbnails."},
		{Name: ArmStamp, Control: true, Says: "The same; each picture carries the stamp of an account, which is compared before it is shown."},
		{Name: ArmClients, Control: true, Says: "The cache's client libraries alone: keyed reads, and answers that belong to another key."},
		{Name: ArmOurs, Says: "Sealed pictures, signed deeds, bound values; each reader compares."},
	}
	d.result.Arms = arms
	controls = []*part{
		d.control(&arms[0], "2024", plainConfig{Client: clientValkey}),
		d.control(&arms[1], "stamp", plainConfig{Client: clientValkey, Stamp: true}),
	}
	for _, c := range stockClients {
		p := d.control(&arms[2], c, plainConfig{Client: c, KeyedOnly: true})
		p.with = c
		controls = append(controls, p)
	}
	return controls, d.ours(&arms[3])
}

// first is the folder of what was recorded of each home before a scene begins.
func (d *drilling) first() string { return filepath.Join(d.config.Dir, "first") }

func (d *drilling) part(a *Arm, name string, clouds int) *part {
	return &part{arm: a, name: name, clouds: clouds, scenes: make([]*Scene, len(d.scenes))}
}

func (d *drilling) ours(a *Arm) *part {
	p := d.part(a, ArmOurs, 1)
	p.open = func(ctx context.Context, name string) (cloud, func() error, error) {
		cache, err := openCache(d.config.Cache, "latchkey-drill-ours")
		if err != nil {
			return nil, nil, err
		}
		o, err := openOurs(ctx, d.homes, cache, filepath.Join(d.config.Dir, name), d.progress("founded %d of %d homes", len(d.homes)))
		if err != nil {
			return nil, nil, errors.Join(err, cache.close(ctx))
		}
		return o, func() error { return errors.Join(o.close(), cache.close(ctx)) }, nil
	}
	return p
}

func (d *drilling) control(a *Arm, name string, c plainConfig) *part {
	p := d.part(a, name, abreast)
	p.open = func(ctx context.Context, name string) (cloud, func() error, error) {
		cache, err := openCache(d.config.Cache, "latchkey-drill-"+name+":")
		if err != nil {
			return nil, nil, err
		}
		own := c
		own.Dir, own.First = filepath.Join(d.config.Dir, name), d.first()
		k, err := openControl(ctx, d.homes, cache, d.config.Child, own)
		if err != nil {
			return nil, nil, errors.Join(err, cache.close(ctx))
		}
		return k, func() error { return errors.Join(k.close(), cache.close(ctx)) }, nil
	}
	return p
}

// drill plays every scene, in as many clouds as the part has.
func (d *drilling) drill(ctx context.Context, p *part) error {
	return drill.Each(ctx, p.clouds, p.clouds, func(int) {}, func(ctx context.Context, i int) (err error) {
		c, stop, err := p.open(ctx, fmt.Sprintf("%s-%d", p.name, i))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
		return d.play(ctx, c, p)
	})
}

// play plays in one cloud what nobody plays yet, until nothing is left.
func (d *drilling) play(ctx context.Context, c cloud, p *part) error {
	for {
		n := int(p.next.Add(1)) - 1
		if n >= len(d.scenes) {
			return nil
		}
		if p.clouds > 1 { // where people watch cameras it takes longest, so it begins early
			n = len(d.scenes) - 1 - n
		}
		s := d.scenes[n]
		m := newMeter(d.config.Seed, s, d.known)
		played, err := play(ctx, c, m, crowd(len(d.homes), n, d.config.Seed), s, d.config.Seed)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", p.name, s.ID, err)
		}
		if played != nil {
			played.With, p.scenes[n] = p.with, played
			d.note(p, played, m)
		}
	}
}

// note adds a scene to its arm.
func (d *drilling) note(p *part, s *Scene, m *meter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p.arm.affected = union(p.arm.affected, m.people)
	p.arm.OverTime = together(p.arm.OverTime, m.over.moments)
	p.arm.exposed = union(p.arm.exposed, m.exposed)
	d.config.Tell(fmt.Sprintf("%s, %s: %d homes, %d faults, %d pictures shown, %d of strangers", p.name, s.Fault+" "+s.Name, s.Homes, s.Injected, s.Shown, s.ShownForeign))
}

func union[K comparable](a, b map[K]bool) map[K]bool {
	if a == nil {
		a = map[K]bool{}
	}
	maps.Copy(a, b)
	return a
}
