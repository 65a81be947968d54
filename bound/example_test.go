package bound_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey/bound"
)

// A row of a database, with the key that it was found by.
type row struct {
	home  string
	epoch uint64
	deeds []byte
}

func Example() {
	database := map[string]row{
		"home/17": {"home/17", 4, []byte("the deeds of 17")},
		"home/18": {"home/18", 9, []byte("the deeds of 18")},
	}
	cache, err := bound.New(bound.Config{
		Keys:  bound.NewKeys(), // of several processes: bound.ReadKeys
		Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})},
		Life:  time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close()

	read := func(_ context.Context, q bound.Question) (bound.Answer, error) {
		r, ok := database[q.Scope]
		if !ok {
			return bound.Answer{}, errors.New("no such home")
		}
		// What the row says, not what was asked.
		return bound.Answer{Scope: r.home, Key: "deeds", Codec: 1, Epoch: r.epoch, Bytes: r.deeds}, nil
	}
	ctx := context.Background()
	a, err := cache.Get(ctx, bound.Question{Scope: "home/17", Key: "deeds", Codec: 1, Floor: 4}, read)
	fmt.Printf("%s, at %d: %s, %v\n", a.Scope, a.Epoch, a.Bytes, err)
	_, err = cache.Get(ctx, bound.Question{Scope: "home/17", Key: "deeds", Codec: 1, Floor: 5}, read)
	fmt.Println(errors.Is(err, bound.ErrOld))
	// Output:
	// home/17, at 4: the deeds of 17, <nil>
	// true
}

// A database that returns somebody else's row is found out, and nothing is handed out.
func ExampleOrigin() {
	incidents := make(chan bound.Incident, 1)
	cache, err := bound.New(bound.Config{Keys: bound.NewKeys(), Alarm: func(i bound.Incident) { incidents <- i }})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close()
	crossed := func(context.Context, bound.Question) (bound.Answer, error) {
		r := row{"home/18", 9, []byte("the deeds of 18")}
		return bound.Answer{Scope: r.home, Key: "deeds", Codec: 1, Epoch: r.epoch, Bytes: r.deeds}, nil
	}
	a, err := cache.Get(context.Background(), bound.Question{Scope: "home/17", Key: "deeds", Codec: 1}, crossed)
	i := <-incidents
	fmt.Printf("%q %v\n%s: asked %s, found %s\n", a.Bytes, errors.Is(err, bound.ErrCrossed), i.Kind, i.Asked.Scope, i.Found.Scope)
	// Output:
	// "" true
	// crossed: asked home/17, found home/18
}

// Who is told that the origin has enough to do can say when to come back.
func ExampleBusyError() {
	err := fmt.Errorf("list events: %w", &bound.BusyError{After: 2 * time.Second})
	var busy *bound.BusyError
	if errors.As(err, &busy) && errors.Is(err, bound.ErrBusy) {
		fmt.Println("Retry-After:", busy.After.Seconds())
	}
	// Output: Retry-After: 2
}
