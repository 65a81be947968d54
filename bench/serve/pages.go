package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// atOnce is how many thumbnails a page fetches at once: as many connections as a browser
// opens to a server.
const atOnce = 6

// pages prints what a page of events costs: the list, and each of its thumbnails.
func pages(ctx context.Context, e *estate) error {
	if err := e.restart(ctx); err != nil {
		return err
	}
	var took [2][]time.Duration // cold, warm
	requests := 0
	for i := range took {
		for _, h := range e.homes[:pageHomes] {
			began := time.Now()
			n, err := h.page(ctx)
			if err != nil {
				return fmt.Errorf("fetch a page: %w", err)
			}
			took[i] = append(took[i], time.Since(began))
			requests = n
		}
		slices.Sort(took[i])
	}
	fmt.Printf("\nA page of %d events with their thumbnails, fetched by %d at a time; medians of %d homes\n\n", pageEvents, atOnce, pageHomes)
	fmt.Println("                 ms   requests")
	for i, what := range []string{"server just started", "once more"} {
		fmt.Printf("%-20s  %6.1f   %8d\n", what, milliseconds(took[i][pageHomes/2]), requests)
	}
	return nil
}

// page fetches the list and what it names, as the app does, and says by how many requests.
func (h home) page(ctx context.Context) (requests int, err error) {
	list, err := h.member.Events(ctx, "", pageEvents)
	if err != nil {
		return 0, err
	}
	names := make(chan latchkey.Name, pageEvents)
	for _, event := range list.Events {
		for _, row := range event.Objects {
			header, err := sealed.ParseHeader(row.Header)
			if err != nil {
				return 0, err
			}
			names <- header.Name()
		}
	}
	if len(names) != pageEvents {
		return 0, fmt.Errorf("a page of %d thumbnails", len(names))
	}
	close(names)
	var errs [atOnce]error
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for name := range names {
				if _, err := h.fetch(ctx, name); err != nil {
					errs[i] = err
				}
			}
		})
	}
	all.Wait()
	return 1 + pageEvents, errors.Join(errs[:]...)
}
