package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/clock"
)

type doctorCommand struct {
	Data   string `type:"path" placeholder:"DIR" help:"Folder of a server or of an agent at this machine."`
	Server string `placeholder:"URL" help:"A server that is to be reached from here, https://HOST[:PORT]."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// health is how something is.
type health string

// What a doctor says of something.
const (
	well health = "well"
	look health = "look" // it works, and will not for ever, or not well
	ill  health = "ill"
)

// finding is what a doctor found of one thing.
type finding struct {
	About string `json:"about"`
	Is    health `json:"is"`
	Says  string `json:"says"`
	Do    string `json:"do,omitempty"`
}

// doctor looks at a machine, and changes nothing of it.
type doctor struct{ findings []finding }

func (d *doctor) say(about string, is health, do, format string, args ...any) {
	d.findings = append(d.findings, finding{about, is, fmt.Sprintf(format, args...), do})
}

// Run looks, and fails if something is ill.
func (c doctorCommand) Run(ctx context.Context, t *terminal) error {
	d := &doctor{}
	d.machine()
	if c.Data != "" {
		if err := d.folder(c.Data); err != nil {
			return err
		}
	}
	if c.Server != "" {
		if err := d.server(ctx, c.Server); err != nil {
			return err
		}
	}
	if err := c.print(t, d.findings); err != nil {
		return err
	}
	for _, f := range d.findings {
		if f.Is == ill {
			return errors.New("something is ill")
		}
	}
	return nil
}

func (c doctorCommand) print(t *terminal, all []finding) error {
	if c.JSON {
		e := json.NewEncoder(t.Out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Findings []finding `json:"findings"`
		}{all})
	}
	for _, f := range all {
		fmt.Fprintf(t.Out, "%-5s %-12s %s\n", f.Is, f.About, f.Says)
		if f.Do != "" && f.Is != well {
			fmt.Fprintf(t.Out, "%-18s %s\n", "", f.Do)
		}
	}
	return nil
}

// fewDescriptors is how many files and connections a server at home does with.
const fewDescriptors = 4096

func (d *doctor) machine() {
	now := clock.Machine().Read()
	if now.Synchronised {
		d.say("clock", well, "", "%s, and the system says that it is right", now.Wall.UTC().Format("2 January 2006, 15:04:05 UTC"))
	} else {
		d.say("clock", look, "Switch time synchronisation on: timedatectl set-ntp true. With a wrong clock rights end at the wrong time, and certificates look as if they had run out.",
			"%s, and nobody keeps it right", now.Wall.UTC().Format("2 January 2006, 15:04:05 UTC"))
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return // this system does not say
	}
	is := well
	if limit.Cur < fewDescriptors {
		is = look
	}
	d.say("open files", is, "Raise the limit of the service (LimitNOFILE= of systemd): each agent and each page has a connection.", "this process may have %d open at a time", limit.Cur)
}

// folder looks at a data folder, whoever's it is.
func (d *doctor) folder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the folder: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		d.say("folder", ill, "chmod 700 "+dir, "%s can be read by others than its owner (%v)", dir, mode)
	} else {
		d.say("folder", well, "", "%s is its owner's alone", dir)
	}
	d.disk(dir)
	if exists(filepath.Join(dir, "archive.db")) {
		d.say("server", well, "", "this is a server's folder; latchkey server check --data %s reads all that is in it", dir)
		return nil
	}
	s, err := agent.ReadStatus(dir)
	if err != nil {
		d.say("folder", ill, "A server's folder has an archive.db, an agent's was made by latchkey agent join.", "this is neither a server's folder nor an agent's: %v", err)
		return nil
	}
	d.agent(s)
	return nil
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// How much room there should be, and how long a disk may take for a small file.
const (
	littleRoom = 1 << 30 // bytes: ill below
	littlePart = 0.1     // of the disk: worth a look below
	slowSync   = 250 * time.Millisecond
)

func (d *doctor) disk(dir string) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		d.say("disk", ill, "", "the system does not say how full it is: %v", err)
		return
	}
	free, all := float64(st.Bavail)*float64(st.Bsize), float64(st.Blocks)*float64(st.Bsize) // the types differ from system to system
	is := well
	switch {
	case free < littleRoom:
		is = ill
	case free < littlePart*all:
		is = look
	}
	d.say("disk", is, "Make room, or give it a larger disk: what comes then is refused, and what is there stays.", "%s of %s are free", humanize.Bytes(uint64(free)), humanize.Bytes(uint64(all)))
	took, err := trySync(dir)
	switch {
	case err != nil:
		d.say("disk", ill, "Is it mounted read-only, or the folder another user's?", "nothing can be written: %v", err)
	case took > slowSync:
		d.say("disk", look, "A card or a busy disk. Uploads wait for it, and fewer come in at a time.", "a small file takes %v until it is safe", took.Round(time.Millisecond))
	default:
		d.say("disk", well, "", "a small file is safe after %v", took.Round(100*time.Microsecond))
	}
}

// trySync writes a small file, and takes it away again.
func trySync(dir string) (took time.Duration, err error) {
	f, err := os.CreateTemp(dir, ".tmp-doctor-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	b := make([]byte, 4096)
	rand.Read(b)
	began := time.Now()
	if _, err := f.Write(b); err != nil {
		return 0, err
	}
	return time.Since(began), f.Sync()
}

// agent says what an agent says of itself.
func (d *doctor) agent(s agent.Status) {
	if path, err := exec.LookPath("ffmpeg"); err != nil {
		d.say("ffmpeg", ill, "Install it: sudo apt install ffmpeg. Without it no motion is seen and no thumbnail made.", "it is not there")
	} else {
		d.say("ffmpeg", well, "", "%s", path)
	}
	if !s.Running {
		d.say("agent", ill, "Start it: latchkey agent run, or sudo systemctl start latchkey-agent.", "it is not running")
		return
	}
	d.say("agent", well, "", "running since %s", at(s.Started))
	if s.Uplink.State == uplink.Connected {
		d.say("uplink", well, "", "connected to %s", s.Server)
	} else {
		d.say("uplink", ill, "latchkey doctor --server "+s.Server+" says more.", "%s. %s", uplinkWord(s.Uplink.State), s.Uplink.Detail)
	}
	if s.Spool.Health == spool.Healthy {
		d.say("spool", well, "", "%d objects wait for the server", s.Spool.Objects)
	} else {
		d.say("spool", ill, "", "%s", s.Spool.Says())
	}
	for _, c := range s.Cameras {
		is := well
		if !c.Recording {
			is = look
		}
		d.say("camera", is, whyNot(c), "%s: %s", c.Name, cameraWord(c))
	}
}

// reachWithin is how long a server may take to answer.
const reachWithin = 10 * time.Second

// soon is when a certificate should have been renewed.
const soon = 14 * 24 * time.Hour

// server looks whether a server can be reached, what it shows, and whether it is ready.
func (d *doctor) server(ctx context.Context, origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Path != "" {
		return fmt.Errorf("%.100q is no server's address: want https://HOST[:PORT]", origin)
	}
	ctx, stop := context.WithTimeout(ctx, reachWithin)
	defer stop()
	began := time.Now()
	addresses, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		d.say("name", ill, "Is the name right, and does this machine have a network?", "%s has no address: %v", u.Hostname(), err)
		return nil
	}
	d.say("name", well, "", "%s is %v, found in %v", u.Hostname(), addresses, time.Since(began).Round(time.Millisecond))
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: d.certificate}}, // whoever it is: nothing is told to it
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/healthz", "/readyz"} {
		ask := map[string]string{"/healthz": "goes on", "/readyz": "is ready"}[path]
		status, late, err := askServer(ctx, client, u.String()+path)
		switch {
		case err != nil:
			d.say("server", ill, "Is it running, and does its port reach it through router and firewall?", "it cannot be reached: %v", err)
			return nil
		case status != http.StatusOK:
			d.say("server", ill, "Its log, and the page at --metrics, say why.", "it answers, and does not say that it %s (%d)", ask, status)
		default:
			d.say("server", well, "", "it %s", ask)
		}
		if path == "/readyz" && math.Abs(late.Seconds()) > 60 {
			d.say("clock", ill, "Set both clocks: requests that are more than a minute off are refused.", "the server's clock and this machine's differ by %v", late.Round(time.Second))
		}
	}
	return nil
}

// certificate says what a server shows; whether it is trusted is for an agent, or a browser,
// to say.
func (d *doctor) certificate(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("it shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	pool := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		pool.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: state.ServerName, Intermediates: pool})
	left := time.Until(leaf.NotAfter)
	switch {
	case left < 0:
		d.say("certificate", ill, "Is port 80 or 443 of the domain open to the authority? The server's log says why it could not be renewed.", "it has run out on %s", leaf.NotAfter.Format(time.DateOnly))
	case left < soon && leaf.NotAfter.Sub(leaf.NotBefore) > 2*soon:
		d.say("certificate", look, "It should have been renewed: the server's log says why it was not.", "it runs out on %s", leaf.NotAfter.Format(time.DateOnly))
	case err != nil:
		d.say("certificate", look, "Right for a server with a certificate of its own, whose fingerprint agents know from their join link. Otherwise somebody is in between.", "this machine does not know who vouches for it (%v)", err)
	default:
		d.say("certificate", well, "", "good until %s", leaf.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// askServer asks, and says how far the server's clock is behind.
func askServer(ctx context.Context, client *http.Client, address string) (status int, late time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, 0, err
	}
	a, err := client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer a.Body.Close() // read as far as it matters
	if _, err := io.CopyN(io.Discard, a.Body, 1<<10); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	if there, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		late = time.Since(there)
	}
	return a.StatusCode, late, nil
}
