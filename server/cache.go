package server

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// CacheConfig says where a server on one machine keeps what it has read of homes.
type CacheConfig struct {
	// Server is "memory" for the server's own, "none" for nowhere, or the address of a
	// Valkey or Redis server that keeps it as well: valkey://[USER@]HOST:PORT[/NUMBER],
	// or redis://; valkeys:// and rediss:// with TLS; unix:///PATH. Empty: memory.
	Server string
	// Password is that server's, if it wants one.
	Password CachePassword
	// Bytes is how much memory it may take. 0: 64 MiB.
	Bytes uint64
}

// CachePassword hides itself, so that no log or error shows it.
type CachePassword string

// Format hides the password, whatever the verb.
func (CachePassword) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(password)") }

// keptLife is for how long something kept is an answer. What holds no longer is below a
// floor at once; this bounds how long a repair by hand in the archive goes unseen.
const keptLife = 10 * time.Minute

// The file with the keys under which a cache outside of the process is sealed. It is in
// no backup: a restored server has others.
const (
	cacheKeyFile = "cache.key"
	maxCacheKeys = 1 << 10
)

// openCache makes the cache of a data folder, nil for none.
func openCache(c CacheConfig, data durable.FS) (*bound.Cache, error) {
	config := bound.Config{Life: keptLife, Keys: bound.NewKeys(), Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{Bytes: c.Bytes})}}
	switch c.Server {
	case "none":
		return nil, nil
	case "", "memory":
		return bound.New(config)
	}
	at, err := url.Parse(c.Server)
	if err != nil {
		return nil, errors.New("the cache is none: want memory, none or an address such as valkey://HOST:PORT") // without err, which may quote a password
	}
	if _, has := at.User.Password(); has {
		return nil, errors.New("a password has no place in the cache's address: it goes into a file, or into the environment")
	}
	if c.Password != "" {
		at.User = url.UserPassword(at.User.Username(), string(c.Password))
	}
	if config.Keys, err = cacheKeys(data); err != nil {
		return nil, err
	}
	config.Tiers = append(config.Tiers, bound.Valkey(bound.ValkeyConfig{URL: at.String(), Prefix: "latchkey"}))
	return bound.New(config)
}

// cacheKeys reads the keys in a data folder, and makes one if there is none.
func cacheKeys(data durable.FS) (*bound.Keys, error) {
	text, err := durable.ReadBytes(data, cacheKeyFile, maxCacheKeys)
	if errors.Is(err, fs.ErrNotExist) {
		text = newCacheKey()
		err = durable.WriteBytes(data, cacheKeyFile, text)
	}
	if err != nil {
		return nil, fmt.Errorf("read the keys of the cache: %w", err)
	}
	keys, err := bound.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("read the keys of the cache in %s: %w", cacheKeyFile, err)
	}
	return keys, nil
}

// newCacheKey is a line of the file.
func newCacheKey() []byte {
	var secret [32]byte
	rand.Read(secret[:])
	return []byte(hex.EncodeToString(secret[:]) + "\n")
}

// RotateCacheKey puts a new key before the one of a data folder. The server takes it at
// its next start, and what it has kept under the one before answers still.
func RotateCacheKey(data string) (err error) {
	folder, err := durable.OpenExisting(data)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if _, err := cacheKeys(folder); err != nil {
		return err
	}
	text, err := durable.ReadBytes(folder, cacheKeyFile, maxCacheKeys)
	if err != nil {
		return fmt.Errorf("read the keys of the cache: %w", err)
	}
	current, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	if err := durable.WriteBytes(folder, cacheKeyFile, append(newCacheKey(), append(current, '\n')...)); err != nil {
		return fmt.Errorf("write the keys of the cache: %w", err)
	}
	return nil
}
