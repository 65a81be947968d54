package onvif_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/onvif"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

func credentials(user, password string) camera.Credentials {
	return camera.Credentials{User: camera.NewSecret(user), Password: camera.NewSecret(password)}
}

func open(t *testing.T, s *onviftest.Server, c camera.Credentials) *onvif.Client {
	t.Helper()
	client, err := onvif.Open(t.Context(), onvif.Config{Address: s.Address(), Credentials: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// A camera that boots in 1970 refuses a proof of the password that is made with the
// right time, and so do all of them with a clock that is an hour off.
func TestADeviceIsAskedByItsOwnClock(t *testing.T) {
	for name, d := range map[string]onviftest.Device{
		"in the message":          {},
		"over HTTP":               {HTTP: true},
		"an hour late":            {Ahead: -time.Hour},
		"in 1970":                 {Ahead: -time.Since(time.Unix(600, 0))},
		"in 2099":                 {Ahead: time.Until(time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC))},
		"over HTTP, a day early ": {HTTP: true, Ahead: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			d.User, d.Password = "admin", `p<ä"&ss`
			d.Manufacturer, d.Model, d.Serial, d.MACs = "Acme", "Eye 2", "S-1", []string{"00:11:22:AA:bb:cc"}
			d.Streams = []onviftest.Stream{{Token: "a", Source: "v", Encoding: "H264", Width: 1920, Height: 1080, URI: "rtsp://10.1.2.3:9/live"}}
			s := onviftest.Serve(t, d)
			c := open(t, s, credentials(d.User, d.Password))
			if ahead, known := c.Clock(); !known || (ahead-d.Ahead).Abs() > 5*time.Second {
				t.Errorf("its clock is %v ahead (%v), want %v", ahead, known, d.Ahead)
			}
			i, err := c.Information(t.Context())
			if diff := cmp.Diff(onvif.Information{Manufacturer: "Acme", Model: "Eye 2", Firmware: "1.0", Serial: "S-1", Hardware: "1"}, i); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if mac, err := c.MAC(t.Context()); mac != "00:11:22:aa:bb:cc" || err != nil {
				t.Error(mac, err)
			}
			p, err := c.Profiles(t.Context())
			if diff := cmp.Diff([]onvif.Profile{{Token: "a", Name: "a", Source: "v", Configuration: "of-v", Encoding: "H264", Width: 1920, Height: 1080}}, p); err != nil || diff != "" {
				t.Error(err, diff)
			}
			if told, wrong := s.Told(); wrong != 0 || told == 0 {
				t.Errorf("the password was told %d times, %d of them wrong", told, wrong)
			}
		})
	}
}

func TestStreamAddresses(t *testing.T) {
	s := onviftest.Serve(t, onviftest.Device{Streams: []onviftest.Stream{
		{Token: "good", URI: "rtsp://u:geheim@10.1.2.3:9/live?a=1&b=2#c"}, {Token: "file", URI: "file:///etc/passwd"},
		{Token: "http", URI: "http://10.0.0.1/"}, {Token: "none", URI: ""}, {Token: "long", URI: "rtsp://h/" + strings.Repeat("x", 4000)},
	}})
	c := open(t, s, camera.Credentials{})
	for token, want := range map[string]string{"good": "rtsp://10.1.2.3:9/live?a=1&b=2", "file": "", "http": "", "none": "", "long": ""} {
		u, err := c.StreamURI(t.Context(), token)
		if err == nil && u.String() != want || err != nil && want != "" {
			t.Errorf("%s: %v, %v; want %q", token, u, err, want)
		}
	}
	if p, err := c.Profiles(t.Context()); err != nil || len(p) != 5 {
		t.Error(p, err)
	}
}

// A password that is refused is told once: cameras lock the account after a few.
func TestAWrongPasswordIsToldOnce(t *testing.T) {
	for _, over := range []bool{false, true} {
		s := onviftest.Serve(t, onviftest.Device{User: "admin", Password: "right", HTTP: over})
		c := open(t, s, credentials("admin", "wrong"))
		for range 3 {
			if _, err := c.Information(t.Context()); !errors.Is(err, onvif.ErrRefused) {
				t.Errorf("with a wrong password: %v", err)
			}
			if _, err := c.Profiles(t.Context()); !errors.Is(err, onvif.ErrRefused) {
				t.Errorf("with a wrong password: %v", err)
			}
		}
		if told, wrong := s.Told(); told != 1 || wrong != 1 {
			t.Errorf("HTTP %v: the password was told %d times, %d of them wrong, want once", over, told, wrong)
		}
		c = open(t, s, camera.Credentials{})
		if _, err := c.Information(t.Context()); !errors.Is(err, onvif.ErrRefused) {
			t.Errorf("without a password: %v", err)
		}
		if told, _ := s.Told(); told != 1 {
			t.Error("nothing was told as if it were a password")
		}
	}
}

// Item 12 of the bad input: documents that are too large, that grow, that are nested or
// in no namespace known.
func TestAnswersThatAttack(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + onviftest.Envelope(`<GetDeviceInformationResponse><SerialNumber>&b;</SerialNumber></GetDeviceInformationResponse>`)
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   error
		serial string
	}{
		"200 MB": {func(w http.ResponseWriter) {
			io.WriteString(w, `<Envelope>`)
			line := []byte(strings.Repeat("<a>aaaaaaaaaaaaaaaaaaaaaaaa</a>", 1<<12))
			for n := 0; n < 200<<20; n += len(line) {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, onvif.ErrTooLarge, ""},
		"entity bomb":        {text(bomb), onvif.ErrMalformed, ""},
		"external entity":    {text(`<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`), onvif.ErrMalformed, ""},
		"an unknown entity":  {text(onviftest.Envelope(`<GetDeviceInformationResponse><SerialNumber>&x;</SerialNumber></GetDeviceInformationResponse>`)), onvif.ErrMalformed, ""},
		"deep":               {text(strings.Repeat("<a>", 5000)), onvif.ErrMalformed, ""},
		"many":               {text("<a>" + strings.Repeat("<b/>", 100_000) + "</a>"), onvif.ErrMalformed, ""},
		"cut off":            {text(`<a><GetDeviceInformationResponse><SerialNumber>1</Ser`), onvif.ErrMalformed, ""},
		"no XML":             {text("<html><body>Welcome<br></body></html>"), onvif.ErrMalformed, ""},
		"nothing":            {text(""), onvif.ErrMalformed, ""},
		"another answer":     {text(onviftest.Envelope(`<GetProfilesResponse/>`)), onvif.ErrMalformed, ""},
		"a redirection":      {func(w http.ResponseWriter) { w.Header().Set("Location", "http://10.0.0.1/"); w.WriteHeader(307) }, onvif.ErrMalformed, ""},
		"wrong namespaces":   {text(`<x:A xmlns:x="urn:x"><y:GetDeviceInformationResponse><SerialNumber> 7 </SerialNumber></y:GetDeviceInformationResponse></x:A>`), nil, "7"},
		"another encoding":   {text(`<?xml version="1.0" encoding="GB2312"?><a><GetDeviceInformationResponse><SerialNumber>` + "\xc9\xcf7" + `</SerialNumber></GetDeviceInformationResponse></a>`), nil, "7"},
		"control characters": {text(`<a><GetDeviceInformationResponse><SerialNumber>7&#x7f;[31m&#x202e;&#10;8` + strings.Repeat("x", 300) + `</SerialNumber></GetDeviceInformationResponse></a>`), nil, "7 [31m 8" + strings.Repeat("x", 120)},
	} {
		t.Run(name, func(t *testing.T) {
			s := onviftest.Serve(t, onviftest.Device{Answer: func(w http.ResponseWriter, operation, _ string) bool {
				if operation == "GetDeviceInformation" {
					test.answer(w)
				}
				return operation == "GetDeviceInformation"
			}})
			c := open(t, s, camera.Credentials{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			i, err := c.Information(t.Context())
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.want) || i.Serial != test.serial {
				t.Errorf("serial %q, %v; want %q, %v", i.Serial, err, test.serial, test.want)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("%d MiB were allocated for it", grown>>20)
			}
		})
	}
}

func text(s string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { io.WriteString(w, s) }
}

// The password goes to the device that was asked for and nowhere else, whatever that
// device says about where its services are.
func TestNobodyElseIsToldThePassword(t *testing.T) {
	elsewhere := onviftest.Serve(t, onviftest.Device{})
	s := onviftest.Serve(t, onviftest.Device{User: "admin", Password: "right", Answer: func(w http.ResponseWriter, operation, _ string) bool {
		switch operation {
		case "GetCapabilities":
			io.WriteString(w, onviftest.Envelope(`<GetCapabilitiesResponse><Media><XAddr>http://`+elsewhere.Address().String()+`/m?x=1</XAddr></Media></GetCapabilitiesResponse>`))
		case "GetNetworkInterfaces":
			w.Header().Set("Location", "http://"+elsewhere.Address().String()+"/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			return false
		}
		return true
	}})
	c := open(t, s, credentials("admin", "right"))
	if _, err := c.Profiles(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.MAC(t.Context()); err == nil {
		t.Error("a redirection was followed")
	}
	if asked := elsewhere.Asked(); len(asked) != 0 {
		t.Errorf("another host was asked for %v", asked)
	}
	// The control: the same way of looking sees a host that is asked.
	if _, err := http.PostForm("http://"+elsewhere.Address().String(), url.Values{}); err != nil || len(elsewhere.Asked()) != 1 {
		t.Error("the other host does not count who asks it", err)
	}
	if !slices.Contains(s.Asked(), "GetProfiles") {
		t.Error("the device itself was not asked for its streams")
	}
}

func TestADeviceThatSaysNothing(t *testing.T) {
	hang := make(chan struct{})
	s := onviftest.Serve(t, onviftest.Device{Answer: func(http.ResponseWriter, string, string) bool { <-hang; return true }})
	defer close(hang)
	began := time.Now()
	_, err := onvif.Open(t.Context(), onvif.Config{Address: s.Address(), Patience: 100 * time.Millisecond})
	if err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := onvif.Open(ctx, onvif.Config{Address: s.Address()}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
