// Command camera serves painted cameras for the browser tests. It reads which from its
// standard input, so that no password stands in an argument list, prints where each
// is, and runs until it is told to end.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/latchkey-cam/latchkey/demo/paint"
)

type wanted struct {
	Scene    paint.Scene `json:"scene"`
	Strip    bool        `json:"strip"`
	User     string      `json:"user"`
	Password string      `json:"password"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "camera:", err)
		os.Exit(1)
	}
}

func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var all []wanted
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		return fmt.Errorf("read which cameras: %w", err)
	}
	for _, w := range all {
		camera, err := paint.Serve(ctx, paint.Config{Scene: w.Scene, Strip: w.Strip, User: w.User, Password: w.Password})
		if err != nil {
			return err
		}
		defer camera.Close()
		fmt.Printf("camera %s %s\n", camera.URL(), camera.SubURL())
	}
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}
