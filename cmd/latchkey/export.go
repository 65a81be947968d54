package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/export"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/vault"
)

// exportCommand writes everything of a home as ordinary files.
type exportCommand struct {
	Server       string   `arg:"" help:"The server's address, https://HOST." placeholder:"SERVER"`
	To           string   `required:"" type:"path" placeholder:"FOLDER" help:"Where to: a new or empty folder, or an earlier export of the same home, to which only what is missing is added."`
	Account      string   `xor:"how" required:"" placeholder:"EMAIL" help:"Sign in to this account, with its passphrase."`
	RecoveryCode bool     `xor:"how" required:"" help:"Sign in with a recovery code: for accounts that have no passphrase."`
	SecretFile   string   `type:"existingfile" placeholder:"FILE" help:"Read the passphrase or recovery code from the first line of this file, and a code of an authenticator app from the second. Without it they are asked for."`
	Home         string   `placeholder:"NAME" help:"Which home, by its name or ID, if the account has several."`
	Camera       []string `sep:"none" placeholder:"NAME" help:"Only this camera, by its name or ID. May be given several times."`
	Since        string   `placeholder:"DAY" help:"Only from this day on, 2006-01-02, or this moment, 2006-01-02T15:04, in the home's time zone."`
	Until        string   `placeholder:"DAY" help:"Only up to the end of this day, or this moment."`
	Sealed       bool     `help:"Also keep everything as it was sealed, which can be verified later without the server."`
	App          bool     `help:"Also write what the app needs to show the export without the server (latchkey open-app): everything as it was sealed, the home's settings, and your vault, which only your passphrase or recovery code opens."`
	Words        string   `placeholder:"WORDS" help:"The ten words that you have compared with another device. The command asks for them if no agent of the home answers."`
	Trust        string   `placeholder:"SHA-256" help:"The fingerprint of the certificate that the server made itself."`
	JSON         bool     `name:"json" help:"Print one JSON object when it is done."`
}

// Help is the longer text of --help.
func (exportCommand) Help() string {
	return `Each event is a picture, a clip and a description in words, in a folder for its day and
one for its camera, with a page that shows them without a server. You get what you see
in the app and nothing else. What does not pass every check of docs/seal.md is not
written but listed, and then the exit code is 1.

It can be broken off and run again: what is there and whole is not fetched a second time.
While it runs it is one of your devices in the home. The key file cannot sign in, so that
this wants your passphrase or a recovery code; neither leaves this machine.

    latchkey export https://cam.example.org --account me@example.org --to ~/Recordings`
}

// Validate looks at what does not need the server.
func (c exportCommand) Validate() error {
	for flag, text := range map[string]string{"--since": c.Since, "--until": c.Until} {
		if text == "" {
			continue
		}
		if err := export.CheckMoment(text); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// exportReport is what --json prints.
type exportReport struct {
	V      int    `json:"v"`
	Result string `json:"result"` // whole, refused, stopped
	Why    string `json:"why,omitempty"`
	Folder string `json:"folder"`
	export.Summary
}

// Run exports.
func (c exportCommand) Run(ctx context.Context, t *terminal) error {
	sum, err := c.export(ctx, t)
	return c.report(t, sum, err)
}

func (c exportCommand) export(ctx context.Context, t *terminal) (sum export.Summary, err error) {
	sum.Refused = []export.Refusal{}
	client, err := c.client()
	if err != nil {
		return sum, err
	}
	home, vault, err := c.find(ctx, t, client)
	if err != nil {
		return sum, err
	}
	if !c.App {
		vault = nil
	}
	to, err := durable.Open(c.To)
	if err != nil {
		return sum, err
	}
	progress, done := exportProgress(t.Err)
	sum, err = export.Run(ctx, export.Config{
		Client: client, Home: home, Words: c.Words, To: to, Sealed: c.Sealed || c.App, Vault: vault,
		Since: c.Since, Until: c.Until, Cameras: c.Camera, Progress: progress,
	})
	done()
	return sum, errors.Join(err, to.Close())
}

// client talks with the server, below its own certificate if one is named.
func (c exportCommand) client() (*api.Client, error) {
	if c.Trust == "" {
		return api.NewClient(c.Server, nil)
	}
	root, err := certificate.ParseFingerprint(c.Trust)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.Server)
	if err != nil {
		return nil, fmt.Errorf("read the server's address: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ResponseHeaderTimeout = certificate.Trust(root, u.Hostname()), 30*time.Second
	return api.NewClient(c.Server, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

// find signs in to the account, opens its vault and finds the home in it. It also returns
// the vault as it is sealed.
func (c exportCommand) find(ctx context.Context, t *terminal, client *api.Client) (h vault.Home, v *export.Vault, err error) {
	secret, code, err := c.secret(t)
	if err != nil {
		return h, nil, err
	}
	in, kek, err := c.unlock(ctx, client, secret, code)
	if err != nil {
		return h, nil, err
	}
	session, err := client.SignInAccount(ctx, in, nil)
	if err != nil {
		return h, nil, said(err)
	}
	homes, err := homesOf(session, kek)
	if err := errors.Join(err, session.SignOut(ctx)); err != nil {
		return h, nil, said(err)
	}
	h, err = c.pick(homes)
	u, verifier := session.Unlocker, account.Verifier(in.Auth)
	return h, &export.Vault{
		V: 1, Account: session.Account, Email: in.Email, Unlocker: u.Unlocker, Kind: u.Kind, Params: u.Params, Wrapped: u.Wrapped,
		Verifier: verifier[:], Vault: session.Vault,
	}, err
}

// pick finds the home that is meant.
func (c exportCommand) pick(homes []vault.Home) (h vault.Home, err error) {
	var found []vault.Home
	var names []string
	for _, h := range homes {
		names = append(names, strings.TrimSpace(h.Name+" "+h.ID.String()))
		if c.Home == "" || strings.EqualFold(c.Home, h.Name) || c.Home == h.ID.String() {
			found = append(found, h)
		}
	}
	switch {
	case len(homes) == 0:
		return h, errors.New("the account has no home")
	case len(found) != 1:
		return h, fmt.Errorf("name one of the account's homes with --home: %s", strings.Join(names, "; "))
	}
	return found[0], nil
}

// unlock makes of a secret what the server is shown, and the key that it is not.
func (c exportCommand) unlock(ctx context.Context, client *api.Client, secret, code string) (in api.SignInAccount, kek vault.Key, err error) {
	if c.RecoveryCode {
		recovery, err := vault.ParseRecoveryCode(secret)
		if err != nil {
			return in, kek, errors.New("that is no recovery code: look for typing errors")
		}
		locator, auth := recovery.Locator(), recovery.Auth()
		return api.SignInAccount{Locator: locator[:], Auth: auth[:]}, recovery.Key(), nil
	}
	params, err := client.PassphraseParams(ctx, c.Account)
	if err != nil {
		return in, kek, said(err)
	}
	stretch, err := account.ParseStretch(params)
	if err != nil {
		return in, kek, err
	}
	auth, kek, err := vault.Passphrase(strings.TrimSpace(secret), stretch)
	return api.SignInAccount{Email: c.Account, Auth: auth[:], Code: code}, kek, err
}

// homesOf opens the vault that a session was given.
func homesOf(s *api.SignedIn, kek vault.Key) ([]vault.Home, error) {
	k, err := vault.Unwrap(account.Unlocker{
		Account: s.Account, ID: s.Unlocker.Unlocker, Kind: s.Unlocker.Kind, Params: s.Unlocker.Params, Wrapped: s.Unlocker.Wrapped,
	}, kek)
	if err != nil {
		return nil, err
	}
	_, content, err := vault.OpenVault(k, s.Account, s.Vault, nil)
	if err != nil {
		return nil, err
	}
	return vault.Homes(content)
}

// secret reads what unlocks the account, from the file or the terminal, and a code of an
// authenticator app, which may be empty. It is never an argument.
func (c exportCommand) secret(t *terminal) (secret, code string, err error) {
	if c.SecretFile != "" {
		f, err := os.Open(c.SecretFile)
		if err != nil {
			return "", "", fmt.Errorf("open the secret file: %w", err)
		}
		defer f.Close() // read only
		b, err := io.ReadAll(io.LimitReader(f, 64<<10))
		if err != nil {
			return "", "", fmt.Errorf("read the secret file: %w", err)
		}
		secret, rest, _ := strings.Cut(string(b), "\n")
		code, _, _ := strings.Cut(rest, "\n")
		return secret, strings.TrimSpace(code), nil
	}
	if c.RecoveryCode {
		secret, err = askSecret(t, "Recovery code")
		return secret, "", err
	}
	if secret, err = askSecret(t, "Passphrase of "+c.Account); err == nil {
		code, err = askSecret(t, "Code of the authenticator app, if the account has one")
	}
	return secret, strings.TrimSpace(code), err
}

// askSecret asks on the terminal without showing what is typed.
func askSecret(t *terminal, what string) (string, error) {
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("there is no terminal to ask at: put the passphrase or recovery code in a file and name that with --secret-file")
	}
	fmt.Fprintf(t.Err, "%s: ", what)
	b, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(t.Err)
	if err != nil {
		return "", fmt.Errorf("ask at the terminal: %w", err)
	}
	return string(b), nil
}

// said is a server's refusal in its own words for people, or that there was no answer.
func said(err error) error {
	if line, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the server cannot be reached: %w", line.Err)
	}
	if refused, ok := errors.AsType[*api.Error](err); ok {
		return errors.New(fields.Clean(refused.Refusal.Error.Message, 500))
	}
	return err
}

// report says what there is now.
func (c exportCommand) report(t *terminal, s export.Summary, err error) error {
	r := exportReport{V: 1, Result: "whole", Folder: c.To, Summary: s}
	switch {
	case err != nil:
		r.Result, r.Why = "stopped", err.Error()
	case len(s.Refused) > 0:
		r.Result = "refused"
	}
	for _, one := range s.Refused {
		fmt.Fprintf(t.Err, "not written: %s%s (%s)\n", refusedWords(one), one.Says, one.Reason)
	}
	if c.JSON {
		err = errors.Join(err, json.NewEncoder(t.Out).Encode(r))
	} else if s.Zone != "" {
		fmt.Fprintf(t.Out, "%s: %s of %s. %s written now (%s), %s there already.\n", c.To, countOf(s.Events, "event"), s.Name,
			countOf(s.Written, "file"), humanize.IBytes(uint64(s.Bytes)), countOf(s.Kept, "file"))
	}
	switch {
	case err != nil && s.Left > 0:
		return fmt.Errorf("the export stopped, %s are left: %w", countOf(s.Left, "object"), err)
	case err != nil:
		return fmt.Errorf("the export stopped: %w", err)
	case len(s.Refused) > 0:
		return fmt.Errorf("%s not written, for the reasons above; everything else is there", countOf(len(s.Refused), "object"))
	}
	return nil
}

// refusedWords says which one was refused, as well as that is known.
func refusedWords(r export.Refusal) string {
	switch {
	case r.Kind != "" && !r.Time.IsZero():
		return fmt.Sprintf("%s of %q, %s: ", r.Kind, r.Camera, r.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	case r.Name != "":
		return fmt.Sprintf("%.300q: ", r.Name)
	}
	return ""
}

// quiet is how often somebody who is no terminal is told how far it is.
const quiet = 10 * time.Second

// exportProgress tells how far it is: on a terminal in one line that changes, elsewhere in
// a line now and then. done clears the line.
func exportProgress(w io.Writer) (progress func(export.Progress), done func()) {
	start, last, every, form := time.Now(), time.Now(), quiet, "%s\n"
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		every, form, done = 100*time.Millisecond, "\r\x1b[K%s", func() { fmt.Fprint(w, "\r\x1b[K") }
	} else {
		done = func() {}
	}
	return func(p export.Progress) {
		now := time.Now()
		if now.Sub(last) < every {
			return
		}
		last = now
		fmt.Fprintf(w, form, progressWords(p, now.Sub(start)))
	}, done
}

func progressWords(p export.Progress, since time.Duration) string {
	s := fmt.Sprintf("%s of %s objects, %s of %s", humanize.Comma(int64(p.Done)), humanize.Comma(int64(p.Of)), humanize.IBytes(p.Bytes), humanize.IBytes(p.OfBytes))
	if p.Fetched == 0 || since < time.Second {
		return s
	}
	left := time.Duration(float64(p.OfBytes-p.Bytes) / float64(p.Fetched) * float64(since))
	return fmt.Sprintf("%s, about %s left", s, left.Round(time.Second))
}
