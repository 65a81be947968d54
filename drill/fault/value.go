package fault

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// values puts in a fault that changes the values which replies bring. change gets a
// value in place, nil where there is none, and returns what is sent instead; nil leaves
// it. It says itself whether the injection strikes.
func (p *Proxy) values(s Schedule, rng *rand.Rand, change func(in *Injection, key string, value []byte) []byte) *Injection {
	return p.faults.put(s, rng, rule{act: func(in *Injection, f *frame) action {
		if !f.reply || f.aside || len(f.call.keys) != 1 {
			return pass
		}
		value := respValue(f.bytes)
		if value == nil && !slices.Contains([]string{"$-1\r\n", "_\r\n"}, string(f.bytes)) {
			return pass // an OK, a number, a list
		}
		if v := change(in, f.call.keys[0], value); v != nil {
			f.bytes = respString(v)
		}
		return pass
	}})
}

// Replay answers a key with its first value since the fault was put in, when the cache
// holds a later one or none: the cache came back from an old snapshot.
func (p *Proxy) Replay(s Schedule, rng *rand.Rand) *Injection {
	var seen firsts
	return p.values(s, rng, func(in *Injection, key string, value []byte) []byte {
		if first := seen.of(key, value); !bytes.Equal(first, value) && in.strikes() {
			return first
		}
		return nil
	})
}

// Reuse lays another key's value over a key's, as far as the shorter of them reaches: the
// buffer was given to somebody else while it was still to be sent.
func (p *Proxy) Reuse(s Schedule, rng *rand.Rand) *Injection {
	var seen others[string, []byte]
	return p.values(s, rng, func(in *Injection, key string, value []byte) []byte {
		if len(value) == 0 {
			return nil
		}
		seen.note(key, bytes.Clone(value))
		other, ok := seen.than(key)
		if !ok || !in.strikes() {
			return nil
		}
		return overlaid(value, other.value)
	})
}

// overlaid is mine with another's over it.
func overlaid(mine, other []byte) []byte {
	b := bytes.Clone(mine)
	copy(b, other)
	return b
}

// Rot turns one bit of a value over.
func (p *Proxy) Rot(s Schedule, rng *rand.Rand) *Injection {
	return p.values(s, rng, func(in *Injection, _ string, value []byte) []byte {
		if len(value) == 0 || !in.strikes() {
			return nil
		}
		return rotten(in, value)
	})
}

func rotten(in *Injection, b []byte) []byte {
	b = bytes.Clone(b)
	bit := in.draw(8 * len(b))
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

// commands puts in a fault that changes what the cache is told. change gets the words
// of a command, and says whether it has changed some.
func (p *Proxy) commands(s Schedule, rng *rand.Rand, change func(in *Injection, verb string, args [][]byte) bool) *Injection {
	return p.faults.put(s, rng, rule{act: func(in *Injection, f *frame) action {
		if f.reply {
			return pass
		}
		if args := respArgs(f.bytes); len(args) > 0 && change(in, f.call.verb, args) {
			f.bytes = respCommand(args)
		}
		return pass
	}})
}

// Recode stores values as a server of another version writes them, here with every
// eight bytes in the opposite order.
func (p *Proxy) Recode(s Schedule, rng *rand.Rand) *Injection {
	return p.commands(s, rng, func(in *Injection, verb string, args [][]byte) bool {
		at := map[string]int{"SET": 2, "SETNX": 2, "GETSET": 2, "SETEX": 3, "PSETEX": 3}[verb]
		if at == 0 || len(args) <= at || len(args[at]) < 2 || !in.strikes() {
			return false
		}
		b := bytes.Clone(args[at])
		for word := range slices.Chunk(b, 8) {
			slices.Reverse(word)
		}
		args[at] = b
		return true
	})
}

// Misaddress sends commands to another tenant: the database that a connection chose is
// the first one again, and a key is that of the command before, where it has the same
// length.
func (p *Proxy) Misaddress(s Schedule, rng *rand.Rand) *Injection {
	var seen others[string, string]
	return p.commands(s, rng, func(in *Injection, verb string, args [][]byte) bool {
		if verb == "SELECT" && len(args) == 2 && string(args[1]) != "0" && in.strikes() {
			args[1] = []byte("0")
			return true
		}
		keys := keysAt(verb, args)
		if len(keys) == 0 {
			return false
		}
		mine := string(args[keys[0]])
		seen.note(mine, mine)
		other, ok := seen.than(mine)
		if !ok || len(other.key) != len(mine) || !in.strikes() {
			return false
		}
		args[keys[0]] = []byte(other.key)
		return true
	})
}

// buckets is how many keys are left of all in [Proxy.Collide].
const buckets = 256

// Collide sends a key's hash instead of it, and that is one of 256. What stands before
// the first colon stays.
func (p *Proxy) Collide(s Schedule, rng *rand.Rand) *Injection {
	return p.commands(s, rng, func(in *Injection, verb string, args [][]byte) bool {
		keys := keysAt(verb, args)
		if len(keys) == 0 || !in.strikes() {
			return false
		}
		for _, i := range keys {
			hash := fnv.New32a()
			hash.Write(args[i]) // never fails
			prefix := args[i][:bytes.IndexByte(args[i], ':')+1]
			args[i] = fmt.Appendf(bytes.Clone(prefix), "%02x", hash.Sum32()%buckets)
		}
		return true
	})
}
