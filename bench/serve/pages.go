package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// atOnce is how many thumbnails a page fetches at once: as many connections as a browser
// opens to a server.
const atOnce = 6

// reader is somebody whose page is measured.
type reader struct {
	who  string
	page *api.Home
	sees []thumbnail // newest first, all that they may see
	not  []thumbnail // of the same home
}

func (h home) reader(who string, page *api.Home, cameras ...latchkey.CameraID) reader {
	r := reader{who: who, page: page}
	for _, t := range slices.Backward(h.thumbnails) {
		if slices.Contains(cameras, t.name.Camera) {
			r.sees = append(r.sees, t)
		} else {
			r.not = append(r.not, t)
		}
	}
	return r
}

// cost is what one page took.
type cost struct {
	list, pictures time.Duration
	came           int64 // bytes
}

// pages prints what a page of events costs: the list, and its thumbnails. What somebody
// gets must be what they may see and nothing else, or there is no figure.
func pages(ctx context.Context, e *estate) error {
	fmt.Printf("\nA page of %d events with their thumbnails, fetched by %d at a time; medians of %d homes\n\n", pageEvents, atOnce, pageHomes)
	fmt.Println("                                                      list   thumbnails    both      requests      KB")
	for i, r := range e.homes[0].readers {
		for _, h := range e.homes[:pageHomes] {
			if err := h.readers[i].exactly(ctx); err != nil {
				return fmt.Errorf("%s: %w", r.who, err)
			}
		}
		if err := e.restart(ctx); err != nil {
			return err
		}
		for _, when := range []string{"server just started", "once more"} {
			var costs []cost
			for _, h := range e.homes[:pageHomes] {
				c, err := e.page(ctx, h.readers[i])
				if err != nil {
					return fmt.Errorf("%s: fetch a page: %w", r.who, err)
				}
				costs = append(costs, c)
			}
			of := func(value func(c cost) float64) float64 {
				return median(len(costs), func(n int) float64 { return value(costs[n]) })
			}
			fmt.Printf("%-50s  %6.1f   %10.1f  %6.1f ms   %8d  %6.0f\n", r.who+", "+when,
				of(func(c cost) float64 { return milliseconds(c.list) }), of(func(c cost) float64 { return milliseconds(c.pictures) }),
				of(func(c cost) float64 { return milliseconds(c.list + c.pictures) }), 1+pageEvents,
				of(func(c cost) float64 { return float64(c.came) / 1000 }))
		}
	}
	return nil
}

// page fetches the list and what it names, as the app does.
func (e *estate) page(ctx context.Context, r reader) (c cost, err error) {
	before, began := e.came.Load(), time.Now()
	names, _, err := r.list(ctx, "")
	if err != nil {
		return c, err
	}
	c.list = time.Since(began)
	want := r.sees[:pageEvents]
	if !slices.Equal(names, namesOf(want)) {
		return c, fmt.Errorf("%d thumbnails are listed, and not the newest %d", len(names), pageEvents)
	}
	began = time.Now()
	var errs [atOnce]error
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for n := i; n < len(want); n += atOnce {
				errs[i] = errors.Join(errs[i], r.gets(ctx, want[n]))
			}
		})
	}
	all.Wait()
	c.pictures, c.came = time.Since(began), e.came.Load()-before
	return c, errors.Join(errs[:]...)
}

// list returns the names on a page, and where the list goes on.
func (r reader) list(ctx context.Context, before string) (names []latchkey.Name, next string, err error) {
	list, err := r.page.Events(ctx, before, pageEvents)
	if err != nil {
		return nil, "", err
	}
	for _, event := range list.Events {
		for _, row := range event.Objects {
			header, err := sealed.ParseHeader(row.Header)
			if err != nil {
				return nil, "", err
			}
			names = append(names, header.Name())
		}
	}
	return names, list.Next, nil
}

// gets fails unless what is handed out is what was uploaded.
func (r reader) gets(ctx context.Context, t thumbnail) error {
	file, err := fetch(ctx, r.page, t.name)
	if err == nil && !bytes.Equal(file, t.file) {
		err = errors.New("something else comes")
	}
	return err
}

// exactly fails unless somebody is listed and handed out all that they may see, and
// nothing else of their home.
func (r reader) exactly(ctx context.Context) error {
	var listed []latchkey.Name
	for before, more := "", true; more; more = before != "" {
		names, next, err := r.list(ctx, before)
		if err != nil {
			return err
		}
		listed, before = append(listed, names...), next
	}
	if !slices.Equal(listed, namesOf(r.sees)) {
		return fmt.Errorf("%d thumbnails are listed, and not the %d that they may see", len(listed), len(r.sees))
	}
	for _, t := range r.sees {
		if err := r.gets(ctx, t); err != nil {
			return err
		}
	}
	for _, t := range r.not {
		if _, err := fetch(ctx, r.page, t.name); api.ReasonOf(err) != api.NotFound {
			return fmt.Errorf("they ask for what they may not see: %v", err)
		}
	}
	return nil
}

func namesOf(all []thumbnail) (names []latchkey.Name) {
	for _, t := range all {
		names = append(names, t.name)
	}
	return names
}
