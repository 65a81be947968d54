package crossed

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// Flood is what came of reading through a cache alone, without a cloud around it: so many
// reads that what is rare shows, too.
type Flood struct {
	Reads    int64   `json:"reads"`    // that the faulty tier answered and the cache compared
	Faults   int64   `json:"faults"`   // that were put in
	Foreign  int64   `json:"foreign"`  // answers to another question that were handed out
	Missed   int64   `json:"missed"`   // that the origin answered instead
	Replaced uint64  `json:"replaced"` // clients
	Seconds  float64 `json:"seconds"`
}

const (
	floodQuestions = 4096
	floodReaders   = 256
	// floodFault is how often a reply is wrong: one in so many.
	floodFault = 10_000
	// floodClock is how much faster the cache's clock goes, so that its quarantines do not
	// keep it from the tier most of the time.
	floodClock = 200
)

// FloodCache reads so often through a cache whose tier goes wrong all the time.
func FloodCache(ctx context.Context, reads int64, seed uint64, tell func(done int)) (f Flood, err error) {
	began := time.Now()
	w := &wrong{values: map[string][]byte{}, seed: seed}
	cache, err := bound.New(bound.Config{
		Keys: bound.NewKeys(), Life: 24 * 365 * time.Hour, BudgetRate: 1 << 30, MaxFlights: floodReaders,
		Now: func() time.Time { return began.Add(floodClock * time.Since(began)) },
		Tiers: []bound.Tier{bound.Valkey(bound.ValkeyConfig{URL: "redis://wrong:1", Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go w.serve(theirs)
			return ours, nil
		}})},
	})
	if err != nil {
		return f, err
	}
	defer func() { _ = cache.Close() }() // it keeps nothing
	var foreign, answered atomic.Int64
	tier := func() (t bound.TierStats) { return cache.Stats().Tiers[0] }
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	for n := range floodReaders {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		work.Go(func() {
			for reading.Err() == nil {
				q := floodQuestion(rng.IntN(floodQuestions))
				a, err := cache.Get(reading, q, floodOrigin)
				if err != nil {
					continue
				}
				answered.Add(1)
				if string(a.Bytes) != floodAnswer(q) {
					foreign.Add(1)
				}
			}
		})
	}
	for ctx.Err() == nil && int64(tier().Hits) < reads {
		tell(int(tier().Hits))
		pause(ctx, 20*time.Millisecond)
	}
	stop()
	work.Wait()
	t := tier()
	return Flood{
		Reads: int64(t.Hits), Faults: w.faults.Load(), Foreign: foreign.Load(), Missed: answered.Load() - int64(t.Hits),
		Replaced: t.Replaced, Seconds: time.Since(began).Seconds(),
	}, ctx.Err()
}

func floodQuestion(n int) bound.Question {
	return bound.Question{Scope: "home/" + strconv.Itoa(n), Key: "thumbnail", Codec: 1, Floor: 1}
}

func floodAnswer(q bound.Question) string { return "what is in " + q.Scope }

func floodOrigin(_ context.Context, q bound.Question) (bound.Answer, error) {
	return bound.Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Epoch: q.Floor, Bytes: []byte(floodAnswer(q))}, nil
}

// wrong is a cache's server in this process, whose replies are wrong now and then. What
// it does to one reply shifts, crosses or spoils those that follow on the connection.
type wrong struct {
	seed   uint64
	conns  atomic.Uint64
	faults atomic.Int64

	mu     sync.RWMutex // protects values
	values map[string][]byte
}

// serve answers a connection until it breaks.
func (w *wrong) serve(conn net.Conn) {
	defer conn.Close() // whoever read has gone
	rng := rand.New(rand.NewPCG(w.seed, 1<<32+w.conns.Add(1)))
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriterSize(conn, 64<<10)
	var last, kept []byte // the reply before, and one that the next overtakes
	for {
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
		command, err := readCommand(in)
		if err != nil {
			return
		}
		reply := w.reply(command)
		if strings.EqualFold(command[0], "GET") && len(reply) > 8 {
			now := reply
			if rng.IntN(floodFault) == 0 {
				reply, kept = w.spoil(rng, reply, last, kept)
			}
			last = now
		}
		_, _ = out.Write(reply) // Flush says it
		if kept != nil && len(reply) > 0 {
			_, _ = out.Write(kept)
			kept = nil
		}
	}
}

// spoil makes of a reply what a fault does, and says what is kept back behind the next.
func (w *wrong) spoil(rng *rand.Rand, reply, last, kept []byte) (sent, back []byte) {
	w.faults.Add(1)
	switch rng.IntN(5) {
	case 0: // lost
		return nil, kept
	case 1: // doubled
		return append(append([]byte{}, reply...), reply...), kept
	case 2: // overtaken
		if kept == nil {
			return nil, reply
		}
	case 3: // another's
		if last != nil {
			return last, kept
		}
	}
	rotten := append([]byte{}, reply...)
	rotten[len(rotten)-3-rng.IntN(len(rotten)/2)] ^= 1 << rng.IntN(8)
	return rotten, kept
}

func (w *wrong) reply(command []string) []byte {
	switch strings.ToUpper(command[0]) {
	case "HELLO":
		return []byte("%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n")
	case "GET":
		w.mu.RLock()
		defer w.mu.RUnlock()
		if v, ok := w.values[command[1]]; ok {
			return v
		}
		return []byte("_\r\n")
	case "SET":
		w.mu.Lock()
		defer w.mu.Unlock()
		w.values[command[1]] = fmt.Appendf(nil, "$%d\r\n%s\r\n", len(command[2]), command[2])
	case "PING":
		return []byte("+PONG\r\n")
	}
	return []byte("+OK\r\n")
}

// readCommand reads an array of strings, as clients send them.
func readCommand(in *bufio.Reader) ([]string, error) {
	n, err := readLength(in, '*')
	if err != nil || n < 1 || n > 1024 {
		return nil, fmt.Errorf("read a command of %d words: %w", n, err)
	}
	words := make([]string, n)
	for i := range words {
		size, err := readLength(in, '$')
		if err != nil || size < 0 || size > 1<<20 {
			return nil, fmt.Errorf("read a word of %d bytes: %w", size, err)
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, err
		}
		words[i] = string(b[:size])
	}
	return words, nil
}

func readLength(in *bufio.Reader, mark byte) (int, error) {
	line, err := in.ReadSlice('\n')
	if err != nil || len(line) < 3 || line[0] != mark {
		return -1, fmt.Errorf("read a length: %w", err)
	}
	return strconv.Atoi(string(line[1 : len(line)-2]))
}
