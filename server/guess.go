package server

import (
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/api"
)

// How often something may be guessed (docs/account.md, Guessing).
const (
	freeGuesses  = 5
	guessesIn    = 15 * time.Minute
	longestPause = time.Hour
	// remoteGuesses is for all who share an address: a household, or a proxy of a
	// thousand households.
	remoteGuesses = 30
	mailsAnHour   = 3
	// ticketUses is how often one link lets somebody begin or sign up in an hour: a
	// house full of people, each of whom makes a mistake or two.
	ticketUses = 40
	// maxGuessed bounds the memory of what was guessed, maxTallied that of who did, or
	// was sent mail. Both are far beyond what people do in an hour.
	maxGuessed = 100_000
	maxTallied = 50_000
)

// guesses counts the tries at each thing that can be guessed, there or not. A try is
// counted before it is known to be wrong, so that many at once are no way around it.
type guesses struct {
	mu    sync.Mutex // protects tried
	tried map[[32]byte]guess
}

type guess struct {
	since  time.Time // of the first of these tries
	tries  int
	pauses int
	until  time.Time // end of the last pause
}

func newGuesses() *guesses { return &guesses{tried: map[[32]byte]guess{}} }

// try counts a try at what has that name, of that kind, and says whether it may be made.
func (g *guesses) try(kind, name string, now time.Time) bool {
	key := sha256.Sum256([]byte(kind + "\x00" + name))
	g.mu.Lock()
	defer g.mu.Unlock()
	is, known := g.tried[key]
	switch {
	case now.Before(is.until):
		return false
	case !known && !g.room(now):
		return false
	case is.forgotten(now):
		is = guess{since: now}
	}
	is.tries++
	if is.pauses > 0 || is.tries >= freeGuesses {
		is.until = now.Add(min(guessesIn<<min(is.pauses, 8), longestPause))
		is.pauses++
	}
	g.tried[key] = is
	return true
}

// forgotten says whether nothing counts any more: of a few tries a quarter of an hour
// after the first, of more an hour after the last pause.
func (is guess) forgotten(now time.Time) bool {
	if is.pauses == 0 {
		return now.Sub(is.since) >= guessesIn
	}
	return now.Sub(is.until) >= longestPause
}

// room makes room for one more. What is still being guessed stays; if that is all there
// is, nobody guesses anything new for a while.
func (g *guesses) room(now time.Time) bool {
	if len(g.tried) < maxGuessed {
		return true
	}
	for key, is := range g.tried {
		if is.pauses == 0 || is.forgotten(now) {
			delete(g.tried, key)
		}
	}
	return len(g.tried) < maxGuessed
}

// right forgets the tries: the last was right.
func (g *guesses) right(kind, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tried, sha256.Sum256([]byte(kind+"\x00"+name)))
}

// tally lets somebody do something so many times in a while, whenever that begins.
type tally struct {
	most int
	in   time.Duration

	mu   sync.Mutex // protects done
	done map[[32]byte][]time.Time
}

func newTally(most int, in time.Duration) *tally {
	return &tally{most: most, in: in, done: map[[32]byte][]time.Time{}}
}

// allow counts one time, or says how long to wait if it is one too many.
func (t *tally) allow(who string, now time.Time) (wait time.Duration) {
	key := sha256.Sum256([]byte(who))
	t.mu.Lock()
	defer t.mu.Unlock()
	times := t.recent(t.done[key], now)
	if len(times) >= t.most {
		return t.in - now.Sub(times[0])
	}
	if len(times) == 0 && len(t.done) >= maxTallied {
		for k, old := range t.done {
			if len(t.recent(old, now)) == 0 {
				delete(t.done, k)
			}
		}
		if len(t.done) >= maxTallied {
			return t.in
		}
	}
	t.done[key] = append(times, now)
	return 0
}

func (t *tally) recent(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= t.in {
		times = times[1:]
	}
	return times
}

// back takes the last time back: it does not count.
func (t *tally) back(who string) {
	key := sha256.Sum256([]byte(who))
	t.mu.Lock()
	defer t.mu.Unlock()
	if times := t.done[key]; len(times) > 1 {
		t.done[key] = times[:len(times)-1]
	} else {
		delete(t.done, key)
	}
}

// guesses counts that the asker tries something that can be guessed, and returns what
// takes that back if it was right.
func (a *asking) guesses() (right func(), err error) {
	from, remotes := remote(a.r), a.server.accounts.remotes
	if wait := remotes.allow(from, a.server.now()); wait > 0 {
		return nil, refuse(http.StatusTooManyRequests, api.TooMany, "Too much was tried from where you are. Wait a while, or go on from elsewhere.").after(wait)
	}
	return func() { remotes.back(from) }, nil
}

// remote says who a request is from, as far as that can be told: the address, of IPv6
// the network. A proxy on this machine or in its network is believed about the address
// that it adds. Whoever could lie to the server so is in its network, and could still
// not guess more at one account.
func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if forwarded := r.Header.Values("X-Forwarded-For"); len(forwarded) > 0 && (ip.IsLoopback() || ip.IsPrivate()) {
		last := forwarded[len(forwarded)-1]
		last = strings.TrimSpace(last[strings.LastIndex(last, ",")+1:])
		if of, err := netip.ParseAddr(last); err == nil {
			ip = of.Unmap().WithZone("")
		}
	}
	if ip.Is6() {
		network, err := ip.Prefix(64)
		if err == nil {
			return network.String()
		}
	}
	return ip.String()
}
