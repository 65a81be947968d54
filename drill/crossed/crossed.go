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
	"time"

	"github.com/latchkey-cam/latchkey"
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
	d := &drilling{config: c, result: Result{Homes: c.Homes, Seed: c.Seed, Cache: c.Cache}}
	if c.Cache == "" {
		d.result.Cache = "embedded"
	}
	var err error
	if d.homes, err = makeHomes(ctx, c.Homes, d.progress("made the keys of %d of %d homes", c.Homes)); err != nil {
		return d.result, err
	}
	d.known = map[latchkey.HomeID]bool{}
	for _, h := range d.homes {
		d.known[h.id()] = true
	}
	parts := d.arms()
	err = each(ctx, len(parts), len(parts), func(int) {}, func(ctx context.Context, i int) error {
		return d.drill(ctx, parts[i])
	})
	if err != nil {
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

// part is a cloud of an arm. Those of the stock clients share one.
type part struct {
	arm  *Arm
	name string // of the folder
	with string // the client, if an arm has several
	open func(ctx context.Context, dir string) (cloud, func() error, error)
}

// arms are the parts, which are drilled at the same time.
func (d *drilling) arms() []*part {
	arms := []Arm{
		{Name: Arm2024, Control: true, Says: "A server whose cache remembers whose a device is, and its thumbnails."},
		{Name: ArmStamp, Control: true, Says: "The same; each picture carries the stamp of an account, which is compared before it is shown."},
		{Name: ArmClients, Control: true, Says: "The cache's client libraries alone: keyed reads, and answers that belong to another key."},
		{Name: ArmOurs, Says: "Sealed pictures, signed deeds, bound values; each reader compares."},
	}
	d.result.Arms = arms
	parts := []*part{
		d.control(&arms[0], "2024", plainConfig{Client: clientValkey}),
		d.control(&arms[1], "stamp", plainConfig{Client: clientValkey, Stamp: true}),
	}
	for _, c := range stockClients {
		p := d.control(&arms[2], c, plainConfig{Client: c, KeyedOnly: true})
		p.with = c
		parts = append(parts, p)
	}
	return append(parts, d.ours(&arms[3]))
}

func (d *drilling) ours(a *Arm) *part {
	return &part{arm: a, name: ArmOurs, open: func(ctx context.Context, dir string) (cloud, func() error, error) {
		cache, err := openCache(d.config.Cache, "latchkey-drill-ours")
		if err != nil {
			return nil, nil, err
		}
		o, err := openOurs(ctx, d.homes, cache, dir, d.progress("founded %d of %d homes", len(d.homes)))
		if err != nil {
			return nil, nil, errors.Join(err, cache.close(ctx))
		}
		return o, func() error { return errors.Join(o.close(), cache.close(ctx)) }, nil
	}}
}

func (d *drilling) control(a *Arm, name string, c plainConfig) *part {
	return &part{arm: a, name: name, open: func(ctx context.Context, dir string) (cloud, func() error, error) {
		cache, err := openCache(d.config.Cache, "latchkey-drill-"+name+":")
		if err != nil {
			return nil, nil, err
		}
		c.Dir = dir
		k, err := openControl(ctx, d.homes, cache, d.config.Child, c)
		if err != nil {
			return nil, nil, errors.Join(err, cache.close(ctx))
		}
		return k, func() error { return errors.Join(k.close(), cache.close(ctx)) }, nil
	}}
}

// drill plays every scene in one cloud.
func (d *drilling) drill(ctx context.Context, p *part) (err error) {
	c, stop, err := p.open(ctx, filepath.Join(d.config.Dir, p.name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	scenes := catalogue()
	if d.config.NoFaults {
		scenes = scenes[:1]
	}
	for n, s := range scenes {
		m := newMeter(d.config.Seed, s, d.known)
		played, err := play(ctx, c, m, crowd(len(d.homes), n, d.config.Seed), s, d.config.Seed)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", p.name, s.ID, err)
		}
		if played == nil {
			continue
		}
		played.With = p.with
		d.note(p, *played, m)
	}
	return nil
}

// note adds a scene to its arm.
func (d *drilling) note(p *part, s Scene, m *meter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p.arm.Scenes = append(p.arm.Scenes, s)
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
