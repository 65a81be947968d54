package crossed

import (
	"context"
	"fmt"
	"iter"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
)

// cache is the service behind the proxies: one in this process, or somebody's, of which
// only keys below a prefix are touched. What the drill does with it goes past the faults.
type cache struct {
	address string
	prefix  string
	own     *miniredis.Miniredis // nil if it is somebody's
	client  *goredis.Client
}

// openCache starts a cache, or connects to the one at that address.
func openCache(address, prefix string) (*cache, error) {
	c := &cache{address: address, prefix: prefix}
	if address == "" {
		c.own = miniredis.NewMiniRedis()
		if err := c.own.StartAddr("127.0.0.1:0"); err != nil {
			return nil, fmt.Errorf("start a cache: %w", err)
		}
		c.address = c.own.Addr()
	}
	c.client = goredis.NewClient(&goredis.Options{Addr: c.address})
	return c, nil
}

// close leaves nothing of the drill in the cache, even if the drill was interrupted.
func (c *cache) close(ctx context.Context) error {
	err := c.empty(context.WithoutCancel(ctx))
	_ = c.client.Close() // nothing is under way
	if c.own != nil {
		c.own.Close()
		return nil
	}
	return err
}

// keys are those below the prefix.
func (c *cache) keys(ctx context.Context) (keys []string, err error) {
	all := c.client.Scan(ctx, 0, c.prefix+"*", 1000).Iterator()
	for all.Next(ctx) {
		keys = append(keys, all.Val())
	}
	if err := all.Err(); err != nil {
		return nil, fmt.Errorf("list the cache: %w", err)
	}
	return keys, nil
}

// batch is how many keys go into one command.
const batch = 500

// empty removes all that the drill has put there.
func (c *cache) empty(ctx context.Context) error {
	keys, err := c.keys(ctx)
	for ; err == nil && len(keys) > 0; keys = keys[min(batch, len(keys)):] {
		err = c.client.Del(ctx, keys[:min(batch, len(keys))]...).Err()
	}
	if err != nil {
		return fmt.Errorf("empty the cache: %w", err)
	}
	return nil
}

// fill puts values there.
func (c *cache) fill(ctx context.Context, values iter.Seq2[string, []byte]) error {
	p := c.client.Pipeline()
	for k, v := range values {
		p.Set(ctx, c.prefix+k, v, keptFor)
	}
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("fill the cache: %w", err)
	}
	return nil
}

// snapshot is what the cache holds at a moment.
func (c *cache) snapshot(ctx context.Context) (map[string]string, error) {
	keys, err := c.keys(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string]string{}
	for _, k := range keys {
		if v, err := c.client.Get(ctx, k).Result(); err == nil { // or it has expired
			held[k] = v
		}
	}
	return held, nil
}

// restore puts a snapshot back, as a cache does that comes up with an old file.
func (c *cache) restore(ctx context.Context, held map[string]string) error {
	p := c.client.Pipeline()
	for k, v := range held {
		p.Set(ctx, k, v, keptFor)
	}
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("restore the cache: %w", err)
	}
	return nil
}
