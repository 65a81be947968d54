package cameratest

import (
	"testing"
	"time"
)

// AtOnce begins all tests before it ends the first: most of their time is waiting.
func AtOnce[T any](t *testing.T, tests map[string]T, begin func(name string, test T) (end func())) {
	t.Helper()
	var ends []func()
	for name, test := range tests {
		ends = append(ends, begin(name, test))
	}
	for _, end := range ends {
		end()
	}
}

// Peak samples now until the returned function is called, which returns the most above
// what it was at first.
func Peak(now func() int64) func() int64 {
	first, most := now(), int64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			most = max(most, now()-first)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		return most
	}
}
