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
	"path/filepath"
	"sync"
	"time"
)

// Config is how much of a drill it shall be.
type Config struct {
	// Dir is an empty folder for the clouds.
	Dir string
	// Homes is how many homes a cloud has.
	Homes int
	// Seed is where all chance comes from, but for keys and for who comes first.
	Seed uint64
	// Cache is the address of a Redis or Valkey to use, host and port. Of it only keys
	// that begin with "latchkey-drill" are touched. Empty: one in this process.
	Cache string
	// NoFaults leaves the faults out; such a drill proves nothing, and fails.
	NoFaults bool
	// Child makes the process of a control arm's server.
	Child Child
	// Tell is called with a sentence when there is something to say. Nil: nobody is told.
	Tell func(sentence string)
}

// drilling is a drill under way.
type drilling struct {
	config Config
	homes  []*home

	mu     sync.Mutex // protects result
	result Result
}

// Run drills. The error is for a drill that could not be carried out.
func Run(ctx context.Context, c Config) (Result, error) {
	began := time.Now()
	if c.Tell == nil {
		c.Tell = func(string) {}
	}
	d := &drilling{config: c, result: Result{Homes: c.Homes, Seed: c.Seed, Cache: c.Cache}}
	if c.Cache == "" {
		d.result.Cache = "embedded"
	}
	var err error
	if d.homes, err = makeHomes(ctx, c.Homes, d.progress("made the keys of %d of %d homes", c.Homes)); err != nil {
		return d.result, err
	}
	for _, group := range d.arms() {
		if err := d.together(ctx, group); err != nil {
			return d.result, err
		}
	}
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

// arms are the parts, in groups that are drilled at the same time.
func (d *drilling) arms() [][]*part {
	arms := []Arm{
		{Name: Arm2024, Control: true, Says: "A server whose cache remembers whose a device is, and its thumbnails."},
		{Name: ArmStamp, Control: true, Says: "The same; each picture carries the stamp of an account, which is compared before it is shown."},
		{Name: ArmClients, Control: true, Says: "The cache's client libraries alone: keyed reads, and answers that belong to another key."},
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
	return [][]*part{parts}
}

func (d *drilling) control(a *Arm, name string, c plainConfig) *part {
	return &part{arm: a, name: name, open: func(ctx context.Context, dir string) (cloud, func() error, error) {
		cache, err := openCache(d.config.Cache, "latchkey-drill-"+name+":")
		if err != nil {
			return nil, nil, err
		}
		c.Dir = dir
		k, err := openControl(ctx, d.homes, cache, d.config.Child, c)
		return k, func() error { return errors.Join(k.close(), cache.close(ctx)) }, err
	}}
}

// together drills some parts at the same time.
func (d *drilling) together(ctx context.Context, parts []*part) error {
	return each(ctx, len(parts), len(parts), func(int) {}, func(ctx context.Context, i int) error {
		return d.drill(ctx, parts[i])
	})
}

// drill plays every scene in one cloud.
func (d *drilling) drill(ctx context.Context, p *part) (err error) {
	c, stop, err := p.open(ctx, filepath.Join(d.config.Dir, p.name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	scenes := catalogue
	if d.config.NoFaults {
		scenes = scenes[:1]
	}
	for _, s := range scenes {
		played, err := play(ctx, c, len(d.homes), s, d.config.Seed)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", p.name, s.id, err)
		}
		if played == nil {
			continue
		}
		played.With = p.with
		d.note(p, *played)
	}
	return nil
}

// note adds a scene to its arm.
func (d *drilling) note(p *part, s Scene) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p.arm.Scenes = append(p.arm.Scenes, s)
	d.config.Tell(fmt.Sprintf("%s, %s: %d faults, %d pictures shown, %d of strangers", p.name, s.Fault, s.Injected, s.Shown, s.ShownForeign))
}
