package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/settings"
	"github.com/latchkey-cam/latchkey/vault"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// exportHouse is a real server behind somebody who carries what it says, and may alter it.
type exportHouse struct {
	t      *testing.T
	data   string
	origin string
	server *server.Local
	client *api.Client

	mu      sync.Mutex // protects what follows
	objects map[string][]byte
	asked   []string          // objects, in order
	instead map[string]string // the object that is delivered in place of another
	meet    func(n int)       // is told of each object that is asked for
	torn    map[int]bool      // which of those that are asked for come by half
}

func openExportHouse(t *testing.T) *exportHouse {
	h := &exportHouse{t: t, data: t.TempDir(), objects: map[string][]byte{}, instead: map[string]string{}}
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	h.origin = "http://" + listener.Addr().String()
	h.server = must(server.Run(t.Context(), server.LocalConfig{
		Data: h.data, Listen: "127.0.0.1:0", Origin: h.origin, Log: slog.New(slog.DiscardHandler),
	}))
	carrier := httputil.NewSingleHostReverseProxy(must(url.Parse("http://" + h.server.Address)))
	carrier.ModifyResponse = h.carry
	carrier.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	front := &http.Server{Handler: carrier}
	go front.Serve(listener)
	h.client = must(api.NewClient(h.origin, nil))
	t.Cleanup(func() {
		for _, c := range []io.Closer{front, h.server} {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

// carry hands an object on, or another in its place.
func (h *exportHouse) carry(r *http.Response) error {
	name, ok := strings.CutPrefix(r.Request.URL.Path, "/v1/objects/")
	if !ok || r.Request.Method != http.MethodGet || r.StatusCode != http.StatusOK {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.objects["v1/"+name] = b
	h.asked = append(h.asked, "v1/"+name)
	if h.meet != nil {
		h.meet(len(h.asked))
	}
	if other, ok := h.instead["v1/"+name]; ok {
		b = h.objects[other]
	}
	if h.torn[len(h.asked)] {
		b = b[:len(b)/2]
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	r.Header.Set("Content-Length", fmt.Sprint(len(b)))
	return nil
}

// forget forgets what was asked for, and does something else from now on.
func (h *exportHouse) forget(meet func(n int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.meet = nil, meet
}

// exportHome is a home at that server.
type exportHome struct {
	*exportHouse
	owner  *keytest.Owner
	agent  *keytest.Agent
	member *api.Home
	door   latchkey.CameraID
	yard   latchkey.CameraID
}

func (h *exportHouse) found(name string, cameras ...string) *exportHome {
	m := &exportHome{exportHouse: h, owner: keytest.NewOwner()}
	ctx := h.t.Context()
	must(h.client.Found(ctx, must(h.server.MintSetup(ctx)), m.owner.Found()))
	device, signer := m.owner.Device()
	m.member = must(h.client.SignIn(ctx, m.owner.Home(), device, signer, m.owner.Title().Head()))
	m.sign(func() {
		m.agent = m.owner.PlaceAgent()
		m.door, m.yard = m.owner.PlaceCamera(m.agent), m.owner.PlaceCamera(m.agent)
	})
	c := settings.Content{Home: name, Zone: "Europe/Berlin", Cameras: map[latchkey.CameraID]settings.Camera{m.door: {Name: cameras[0]}, m.yard: {Name: cameras[1]}}}
	must(0, m.member.PutSettings(ctx, m.owner.Settings(nil, c)))
	return m
}

// title is the chain as it is now.
func (m *exportHome) title() *deed.Title {
	return must(deed.Fold(m.owner.Home(), first(m.member.Deeds(m.t.Context(), 0))))
}

// say appends a deed of the owner's, of this moment.
func (m *exportHome) say(b deed.Body) {
	title := m.title()
	d := must(deed.Sign(m.owner.Keys.Signing, title, latchkey.TimeOf(time.Now()), b))
	must(m.member.Append(m.t.Context(), title.Head(), d))
}

// sign appends what is signed meanwhile to the chain as it is now.
func (m *exportHome) sign(do func()) {
	title := m.title()
	m.owner.Adopt(title)
	do()
	must(m.member.Append(m.t.Context(), title.Head(), m.owner.Title().Deeds(title.Head().Seq+1)...))
}

func first[A, B any](a A, _ B, err error) A { return must(a, err) }

// happened uploads an event of three objects, for everybody who may see it, and returns
// them: thumbnail, clip, description.
func (m *exportHome) happened(camera latchkey.CameraID, at time.Time, content string) (all []keytest.Object) {
	m.t.Helper()
	event := latchkey.NewEventID()
	us := latchkey.TimeOf(at)
	description := fmt.Sprintf(`{"v":1,"start":%d,"end":%d,"cause":"motion","saw":["person","unicorn","animal"],"score":0.5,"names":{"camera":"The door","home":"Ours","zone":"Europe/Berlin"}}`, us, us+3_000_000)
	for _, o := range []struct {
		kind    latchkey.Kind
		content string
	}{{latchkey.Thumbnail, "picture of " + content}, {latchkey.Clip, "clip of " + strings.Repeat(content, 20_000)}, {latchkey.Description, description}} {
		b := m.agent.Bind(m.owner.Title(), camera, o.kind)
		b.Event, b.Time = event, us
		x := m.agent.Seal(m.owner.Title(), b, []byte(o.content))
		for _, p := range m.owner.Title().Recipients(camera, o.kind, b.Head.Seq, us, true) {
			x.File.Envelopes = append(x.File.Envelopes, must(seal.Wrap(x.Key, b, sealed.ToPerson, p.KEM, m.owner.Title().Epoch())))
		}
		upload := m.client.Agent(m.owner.Home(), m.agent.Keys.Agent, m.agent.Keys.Signing)
		must(0, upload.Upload(m.t.Context(), m.owner.Title().Head(), x.Name(), x.File.Bytes(), 0, bytes.NewReader(x.Body), uint64(len(x.Body))))
		all = append(all, x)
	}
	return all
}

// account makes an account whose vault has that person's keys to the home, and a file
// with its recovery code.
func (m *exportHome) account(email, passphrase string, k *key.PersonKeys) (codeFile string) {
	m.t.Helper()
	ctx := m.t.Context()
	ticket := must(m.server.MintSetup(ctx))
	begun := must(m.client.BeginAccount(ctx, ticket, email))
	vaultKey, code, stretch := vault.NewKey(), vault.NewRecoveryCode(), account.NewStretch([16]byte(vault.NewRecoveryCode()))
	auth, kek := vault.NewKey(), vault.NewKey()
	if passphrase != "" {
		var err error
		auth, kek, err = vault.Passphrase(passphrase, stretch)
		must(0, err)
	}
	wrapped := func(kind account.Kind, params []byte, kek vault.Key, auth vault.Key) api.Unlocker {
		u := vault.Wrap(account.Unlocker{Account: begun.Account, ID: latchkey.NewUnlockerID(), Kind: kind, Params: params}, kek, vaultKey)
		return api.Unlocker{Unlocker: u.ID, Kind: kind, Params: params, Wrapped: u.Wrapped, Auth: auth[:]}
	}
	home := map[string]any{"home": m.owner.Home(), "person": k.Person, "signing": k.Signing.Seed(), "kem": k.KEM.Seed(), "head": m.owner.Title().Head().String(), "name": "Ours"}
	content := must(json.Marshal(map[string]any{"v": 1, "homes": []any{home}, "devices": map[string]string{}, "unlockers": map[string]string{}}))
	locator := code.Locator()
	must(m.client.SignUp(ctx, api.SignUp{
		Ticket: ticket, Account: begun.Account, Email: email,
		Unlockers: []api.Unlocker{wrapped(account.Passphrase, stretch.Bytes(), kek, auth), wrapped(account.RecoveryCode, locator[:], code.Key(), code.Auth())},
		Vault:     vault.SealVault(vaultKey, begun.Account, nil, string(content)).Bytes(),
	}))
	return m.file(code.Text() + "\n")
}

func (m *exportHome) file(text string) string {
	path := filepath.Join(m.t.TempDir(), "secret")
	must(0, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// answering is the home's agent, which answers whoever asks which head is the newest.
func (m *exportHome) answering(head latchkey.Head) {
	m.t.Helper()
	ctx, title, keys := m.t.Context(), m.title(), m.agent.Keys
	now := func() latchkey.Time { return latchkey.TimeOf(time.Now()) }
	s := must(m.client.Dial(ctx, ""))
	m.t.Cleanup(func() { s.Close() })
	nonce := must(s.Receive(ctx)).(api.Challenge).Nonce
	hello := api.Hello{ID: "hello", Home: title.Home(), Agent: keys.Agent, Incarnation: 1, Token: make([]byte, 32), NextToken: bytes.Repeat([]byte{1}, 32), Head: title.Head().String()}
	must(0, s.Send(ctx, must(api.SignHello(hello, nonce, keys.Signing))))
	condition := must(letter.SealCondition(keys, title, 1, 1, now(), letter.Condition{Clock: letter.Clock{Quality: letter.Synchronised}}))
	must(0, s.Send(ctx, api.ConditionFrame{ID: "c", Home: title.Home(), Letter: condition}))
	kept := make(chan struct{})
	go func() {
		inbox := letter.NewInbox(keys, 1)
		for {
			f, err := s.Receive(ctx)
			if err != nil {
				return
			}
			switch f := f.(type) {
			case api.Done:
				close(kept)
			case api.CommandFrame:
				c := must(inbox.Open(f.Letter, title, now()))
				reply := must(c.Reply(keys, title, now(), letter.Confirmed{Head: head}))
				must(0, s.Send(ctx, api.ReplyFrame{ID: f.ID, Home: title.Home(), Letter: reply, Last: true}))
			}
		}
	}()
	<-kept
}

// words are those of the newest head, which a person would compare with another device.
func (m *exportHome) words() string {
	return wordsOf(m.title().Head())
}

func wordsOf(head latchkey.Head) string {
	return strings.Join(latchkey.Words(head.Hash[:latchkey.FingerprintWords]), " ")
}

// exported is what a run of the command came to.
type exported struct {
	code     int
	out, err string
	report   exportReport
}

// export runs the command with a recovery code.
func (m *exportHome) export(ctx context.Context, codeFile, to string, more ...string) (e exported) {
	m.t.Helper()
	return m.command(ctx, append([]string{"--recovery-code", "--secret-file", codeFile, "--to", to, "--words", m.words(), "--json"}, more...)...)
}

func (m *exportHome) command(ctx context.Context, args ...string) (e exported) {
	m.t.Helper()
	var out, err bytes.Buffer
	e.code = run(ctx, append([]string{"export", m.origin}, args...), &terminal{strings.NewReader(""), &out, &err})
	e.out, e.err = out.String(), err.String()
	if out.Len() > 0 && out.Bytes()[0] == '{' {
		must(0, json.Unmarshal(out.Bytes(), &e.report))
	}
	return e
}

// tree lists the files of a folder, with what pictures and clips hold.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(0, filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text := ""
		if ext := filepath.Ext(path); ext == ".jpg" || ext == ".mp4" {
			text = string(must(os.ReadFile(path)))
		}
		all[filepath.ToSlash(must(filepath.Rel(folder, path)))] = text
		return nil
	}))
	return all
}
