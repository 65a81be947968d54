package crossed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gomodule/redigo/redis"
	goredis "github.com/redis/go-redis/v9"
	"github.com/valkey-io/valkey-go"
)

// The stock clients, as their own documentation begins with them.
const (
	clientValkey  = "valkey-go"
	clientGoRedis = "go-redis"
	clientRedigo  = "redigo"
)

var stockClients = []string{clientValkey, clientGoRedis, clientRedigo}

// stockClient is a cache's client library with nothing around it.
type stockClient interface {
	get(ctx context.Context, key string) (value []byte, found bool, err error)
	set(ctx context.Context, key string, value []byte) error
}

// keptFor is how long a cached value lives, if nothing else ends it.
const keptFor = time.Hour

// dialStock connects one of the stock clients. It is tried for a while: whoever comes
// back from an outage finds the cache busy.
func dialStock(ctx context.Context, name, address string) (stockClient, error) {
	switch name {
	case clientValkey:
		// One server and no cluster; and the embedded cache has no tracking, which the
		// client's own cache wants.
		option := valkey.ClientOption{InitAddress: []string{address}, ForceSingleClient: true, DisableCache: true}
		c, err := valkey.NewClient(option)
		for n := 0; err != nil && n < 50 && ctx.Err() == nil; n++ {
			pause(ctx, 100*time.Millisecond)
			c, err = valkey.NewClient(option)
		}
		return stockValkey{c}, err
	case clientGoRedis:
		return stockGoRedis{goredis.NewClient(&goredis.Options{Addr: address})}, nil
	case clientRedigo:
		return stockRedigo{&redis.Pool{
			MaxIdle: 3, IdleTimeout: 240 * time.Second,
			DialContext: func(ctx context.Context) (redis.Conn, error) { return redis.DialContext(ctx, "tcp", address) },
		}}, nil
	}
	return nil, fmt.Errorf("connect to the cache: no client is called %q", name)
}

type stockValkey struct{ c valkey.Client }

func (s stockValkey) get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := s.c.Do(ctx, s.c.B().Get().Key(key).Build()).AsBytes()
	if valkey.IsValkeyNil(err) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (s stockValkey) set(ctx context.Context, key string, value []byte) error {
	return s.c.Do(ctx, s.c.B().Set().Key(key).Value(string(value)).Ex(keptFor).Build()).Error()
}

type stockGoRedis struct{ c *goredis.Client }

func (s stockGoRedis) get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := s.c.Get(ctx, key).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (s stockGoRedis) set(ctx context.Context, key string, value []byte) error {
	return s.c.Set(ctx, key, value, keptFor).Err()
}

type stockRedigo struct{ pool *redis.Pool }

func (s stockRedigo) get(ctx context.Context, key string) ([]byte, bool, error) {
	c, err := s.pool.GetContext(ctx)
	if err != nil {
		return nil, false, err
	}
	defer c.Close() // back to the pool
	b, err := redis.Bytes(redis.DoContext(c, ctx, "GET", key))
	if errors.Is(err, redis.ErrNil) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (s stockRedigo) set(ctx context.Context, key string, value []byte) error {
	c, err := s.pool.GetContext(ctx)
	if err != nil {
		return err
	}
	defer c.Close() // back to the pool
	_, err = redis.DoContext(c, ctx, "SET", key, value, "EX", int(keptFor.Seconds()))
	return err
}
