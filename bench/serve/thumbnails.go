package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bench/role"
)

// picture is one thumbnail: whose, and what is handed out of it.
type picture struct {
	home  home
	path  string
	bytes []byte
}

// As fast as it goes, of a busy small server and of one that has more to do than it can;
// and as many requests a second for all of them as this part of what Latchkey answers at
// its busiest, when what they take can be compared.
const (
	busy, crowded = 64, 256
	calm          = 0.5
)

// thumbnails prints a table for each of the loads.
func thumbnails(ctx context.Context, e *estate, folder string, rounds int) error {
	files := filepath.Join(folder, "files")
	pictures, err := e.pictures(files)
	if err != nil {
		return err
	}
	yes, err := role.Start(ctx, "auth")
	if err != nil {
		return err
	}
	defer yes.End()
	goFiles, err := role.Start(ctx, "files", files)
	if err != nil {
		return err
	}
	defer goFiles.End()
	nginx, err := startNginx(ctx, filepath.Join(folder, "nginx"), files, yes.Said)
	if err != nil {
		return err
	}
	defer nginx.End()
	targets := []target{
		latchkeyTarget(e.server, pictures),
		plainTarget("nginx, auth_request", nginx.asking, pictures, true, nginx.Process, yes),
		plainTarget("  by kept connections", nginx.keeping, pictures, true, nginx.Process, yes),
		plainTarget("nginx, asking nobody", nginx.static, pictures, false, nginx.Process),
		plainTarget("Go's file server", goFiles.Said, pictures, false, goFiles),
	}
	var most float64 // requests a second that Latchkey answers
	for _, l := range []load{{connections: busy}, {connections: crowded}} {
		results, err := byTurns(ctx, targets, l, rounds)
		if err != nil {
			return err
		}
		printTable(targets, results, l)
		most = median(rounds, func(n int) float64 { return results[0][n].rate })
	}
	l := load{crowded, calm * most}
	results, err := byTurns(ctx, targets, l, rounds)
	if err != nil {
		return err
	}
	printWaits(targets, results, l)
	return nil
}

// byTurns puts the load on one target after the other, so many times.
func byTurns(ctx context.Context, targets []target, l load, rounds int) ([][]round, error) {
	results := make([][]round, len(targets))
	for n := range rounds + 1 {
		for i, t := range targets {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r, err := t.bear(l)
			if err != nil {
				return nil, err
			}
			if n > 0 { // the first is for warming up
				results[i] = append(results[i], r)
			}
		}
	}
	return results, nil
}

// pictures puts what Latchkey is to hand out into files for the others: all hand out the
// same bytes. Neighbours are of different homes.
func (e *estate) pictures(files string) (all []picture, err error) {
	for i := range ofHome {
		for _, h := range e.homes {
			thumbnail := h.thumbnails[i]
			p := picture{home: h, path: pathOf(thumbnail.name), bytes: thumbnail.file}
			at := filepath.Join(files, filepath.FromSlash(p.path))
			if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
				return nil, err
			}
			if err := os.WriteFile(at, p.bytes, 0o600); err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// latchkeyTarget asks as pages of all the homes do through one proxy: each request has
// an ID of its own, and its MAC. They are made before the round begins.
func latchkeyTarget(server *role.Process, pictures []picture) target {
	heads := make([]string, len(pictures))
	for i, p := range pictures {
		heads[i] = "GET " + p.path + " HTTP/1.1\r\nHost: localhost\r\nCookie: " + p.home.member.Cookie() + "\r\n"
	}
	tails := make([]string, ofRound)
	return target{
		name: "Latchkey", address: server.Said, by: []*role.Process{server},
		ready: func() {
			for n := range tails {
				p := pictures[n%len(pictures)]
				id := api.NewRequestID()
				mac := p.home.member.MACKey().RequestMAC("GET", p.path, id, nil)
				tails[n] = api.HeaderRequest + ": " + id + "\r\n" + api.HeaderMAC + ": " + mac + "\r\n\r\n"
			}
		},
		ask:  func(b []byte, n int) []byte { return append(append(b, heads[n%len(heads)]...), tails[n]...) },
		want: func(n int) []byte { return pictures[n%len(pictures)].bytes },
	}
}

// plainTarget asks with no more than the server needs: for auth_request a cookie, that
// the handler does not look at.
func plainTarget(name, address string, pictures []picture, cookie bool, by ...*role.Process) target {
	asks := make([]string, len(pictures))
	for i, p := range pictures {
		asks[i] = "GET " + p.path + " HTTP/1.1\r\nHost: localhost\r\n"
		if cookie {
			asks[i] += "Cookie: " + p.home.member.Cookie() + "\r\n"
		}
		asks[i] += "\r\n"
	}
	return target{
		name: name, address: address, by: by,
		ask:  func(b []byte, n int) []byte { return append(b, asks[n%len(asks)]...) },
		want: func(n int) []byte { return pictures[n%len(pictures)].bytes },
	}
}

// printTable prints medians of the rounds: of the rates, of the ratios within each, and of
// what a request costs. The ratios by CPU time, of server and load together, are those of
// the rates on a machine that has nothing else to do, and hold on a busy one.
func printTable(targets []target, results [][]round, l load) {
	fmt.Printf("\nA thumbnail of 8 KiB, sealed, of %d homes by turns, over %d connections; medians of %d rounds\n\n",
		homes, l.connections, len(results[0]))
	fmt.Println("                                           of                               CPU for a request           of")
	fmt.Println("                        requests/s   auth_request   nginx      p50      p99      server   load    auth_request   nginx")
	for i, t := range targets {
		took := waits(results[i])
		of := func(value func(r round) float64) float64 {
			return median(len(results[i]), func(n int) float64 { return value(results[i][n]) })
		}
		rate := func(rival int) float64 {
			return median(len(results[i]), func(n int) float64 { return results[i][n].rate / results[rival][n].rate })
		}
		cost := func(rival int) float64 {
			return median(len(results[i]), func(n int) float64 { return results[rival][n].cost() / results[i][n].cost() })
		}
		fmt.Printf("%-22s  %10.0f   %12.2f   %5.2f   %6.2f   %6.2f ms   %6.1f   %4.1f µs   %12.2f   %5.2f\n", t.name,
			of(func(r round) float64 { return r.rate }), rate(1), rate(3), milliseconds(took[len(took)/2]), milliseconds(took[len(took)*99/100]),
			of(func(r round) float64 { return r.server }), of(func(r round) float64 { return r.load }), cost(1), cost(3))
	}
}

// printWaits prints what a request waits for its answer when as many come to each target.
func printWaits(targets []target, results [][]round, l load) {
	fmt.Printf("\nThe same, %.0f requests a second to each, from when a request comes\n\n", l.rate)
	fmt.Println("                             p50       p90       p99")
	for i, t := range targets {
		took := waits(results[i])
		fmt.Printf("%-22s  %8.2f  %8.2f  %8.2f ms\n", t.name, milliseconds(took[len(took)/2]), milliseconds(took[len(took)*9/10]), milliseconds(took[len(took)*99/100]))
	}
}

// waits is what the requests of all rounds took, the least first.
func waits(rounds []round) (took []time.Duration) {
	for _, r := range rounds {
		took = append(took, r.took...)
	}
	slices.Sort(took)
	return took
}

func median(of int, value func(n int) float64) float64 {
	var all []float64
	for n := range of {
		all = append(all, value(n))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
