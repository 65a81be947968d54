package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/bench/role"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// How many homes there are, and thumbnails in each. The first few have a page of events,
// to be fetched whole.
const (
	homes      = 200
	ofHome     = 4
	pageHomes  = 10
	pageEvents = 50      // of a page; in those homes each of two cameras has so many
	size       = 8 << 10 // of a thumbnail, before it is sealed
)

// estate is the server with its homes.
type estate struct {
	data   string // its folder
	server *role.Process
	homes  []home
	came   atomic.Int64 // bytes that members and agents were sent
}

// home is a home, and the session of somebody who lives there.
type home struct {
	member     *api.Home
	thumbnails []thumbnail
	readers    []reader // whose pages are measured: the owner, and a guest
}

// thumbnail is what an agent has uploaded, and what is to come back.
type thumbnail struct {
	name latchkey.Name
	file []byte
}

// serveLatchkey is the role of the server: its folder, and the address to listen on.
// LATCHKEY_BENCH_PROFILE names a file for a profile of its CPU time.
func serveLatchkey(ctx context.Context, args []string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server.Spacious() // as the command does
	l, err := server.Run(ctx, server.LocalConfig{Data: args[0], Listen: args[1], Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if file := os.Getenv("LATCHKEY_BENCH_PROFILE"); file != "" {
		f, err := os.Create(fmt.Sprintf("%s.%d", file, os.Getpid()))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(l.Address)
	select {
	case <-ctx.Done():
		return nil
	case err := <-l.Failed():
		return err
	}
}

// found starts the server and founds the homes, each with an owner who is signed in, an
// agent, a camera and thumbnails, all by the ways by which they come in life.
func found(ctx context.Context, folder string) (*estate, error) {
	e := &estate{data: filepath.Join(folder, "latchkey")}
	if err := e.start(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	client, err := api.NewClient("http://localhost:"+port(e.server.Said), e.browser())
	if err != nil {
		e.end()
		return nil, err
	}
	for i := range homes {
		h, err := e.move(ctx, client, i)
		if err != nil {
			e.end()
			return nil, fmt.Errorf("found a home: %w", err)
		}
		e.homes = append(e.homes, h)
	}
	return e, nil
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

func (e *estate) start(ctx context.Context, address string) (err error) {
	e.server, err = role.Start(ctx, "latchkey", e.data, address)
	return err
}

// restart starts the server anew, so that it has nothing in memory.
func (e *estate) restart(ctx context.Context) error {
	e.server.End()
	return e.start(ctx, e.server.Said)
}

func (e *estate) end() { e.server.End() }

// move founds one home and stores its thumbnails.
func (e *estate) move(ctx context.Context, client *api.Client, number int) (h home, err error) {
	archive, err := server.OpenArchive(ctx, e.data) // as the command does that mints a link
	if err != nil {
		return h, err
	}
	secret, err := server.MintSetup(ctx, archive.Archive().Setups, time.Now())
	if err := errors.Join(err, archive.Close()); err != nil {
		return h, err
	}
	owner := keytest.NewOwner()
	if _, err := client.Found(ctx, secret, owner.Found()); err != nil {
		return h, err
	}
	before := owner.Title().Head()
	device, key := owner.Device()
	if h.member, err = client.SignIn(ctx, owner.Home(), device, key, before); err != nil {
		return h, err
	}
	agent := owner.PlaceAgent()
	cameras := []latchkey.CameraID{owner.PlaceCamera(agent)}
	n, guest := ofHome, keytest.NewPerson()
	if number < pageHomes {
		cameras = append(cameras, owner.PlaceCamera(agent))
		owner.Join(guest, keytest.AsGuest(cameras[0]))
		n = pageEvents * len(cameras)
	}
	if _, err := h.member.Append(ctx, before, owner.Title().Deeds(before.Seq+1)...); err != nil {
		return h, err
	}
	upload := client.Agent(owner.Home(), agent.Keys.Agent, agent.Keys.Signing)
	for i := range n {
		o, err := record(owner.Title(), agent, cameras[i%len(cameras)])
		if err != nil {
			return h, err
		}
		if err := upload.Upload(ctx, owner.Title().Head(), o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body))); err != nil {
			return h, err
		}
		h.thumbnails = append(h.thumbnails, thumbnail{o.Name(), append(sealed.File{Header: o.File.Header}.Bytes(), o.Body...)})
	}
	if number < pageHomes {
		page, err := client.SignIn(ctx, owner.Home(), guest.Keys.Device, guest.Keys.DeviceSigning, owner.Title().Head())
		if err != nil {
			return h, err
		}
		h.readers = []reader{h.reader("the owner", h.member, cameras...), h.reader("a guest of one of two cameras", page, cameras[0])}
	}
	return h, nil
}

// record makes a thumbnail, for those who see the whole home and the guests of its camera.
func record(t *deed.Title, agent *keytest.Agent, camera latchkey.CameraID) (keytest.Object, error) {
	content := make([]byte, size)
	rand.Read(content)
	o := agent.Object(t, camera, latchkey.Thumbnail, content)
	b := o.File.Header.Binding
	for _, p := range t.Recipients(camera, b.Kind, b.Head.Seq, 0, true) {
		e, err := seal.Wrap(o.Key, b, sealed.ToPerson, p.KEM, t.Epoch())
		if err != nil {
			return o, err
		}
		o.File.Envelopes = append(o.File.Envelopes, e)
	}
	return o, nil
}

// browser opens as many connections as a browser, and counts what comes by them.
func (e *estate) browser() *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: atOnce,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			return counted{c, &e.came}, err
		},
	}}
}

type counted struct {
	net.Conn
	came *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.came.Add(int64(n))
	return n, err
}

// fetch returns what a member is handed out of a name: the bytes of the answer.
func fetch(ctx context.Context, member *api.Home, name latchkey.Name) ([]byte, error) {
	d, err := member.Object(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(d.File)
	return b, errors.Join(err, d.File.Close())
}

// pathOf is the address of an object.
func pathOf(n latchkey.Name) string { return "/v1/objects/" + strings.TrimPrefix(n.String(), "v1/") }
