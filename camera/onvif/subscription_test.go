package onvif_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/onvif"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

const aPerson = "tns1:RuleEngine/MyRuleDetector/PeopleDetect"

// hurried is a client that does not wait long.
func hurried(t *testing.T, s *onviftest.Server, c camera.Credentials) *onvif.Client {
	t.Helper()
	client, err := onvif.Open(t.Context(), onvif.Config{Address: s.Address(), Credentials: c, Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// A subscription is pulled, renewed and ended at the address that the device names, as
// far as that is its own, and with what it wants to be told again.
func TestASubscription(t *testing.T) {
	for name, d := range map[string]onviftest.Device{
		"open": {}, "a password in the message": {User: "admin", Password: "right"},
		"a password over HTTP": {User: "admin", Password: "right", HTTP: true},
		"a clock of 1970":      {User: "admin", Password: "right", Ahead: -time.Since(time.Unix(600, 0))},
	} {
		t.Run(name, func(t *testing.T) {
			d.Events = true
			server := onviftest.Serve(t, d)
			c := hurried(t, server, credentials(d.User, d.Password))
			s, err := c.Subscribe(t.Context())
			if err != nil || server.Subscribers() != 1 {
				t.Fatal(err, server.Subscribers())
			}
			server.Tell(onviftest.Notification(aPerson, "Changed", "v", "State", "true"))
			all, err := s.Pull(t.Context())
			if err != nil || len(all) != 1 || all[0].Topic != aPerson || all[0].Sighting() != latchkey.SawPerson {
				t.Errorf("%+v, %v", all, err)
			}
			if all, err = s.Pull(t.Context()); err != nil || len(all) != 0 {
				t.Errorf("when nothing has happened: %+v, %v", all, err)
			}
			if err := s.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Unsubscribe(t.Context()); err != nil || server.Subscribers() != 0 {
				t.Error(err, server.Subscribers())
			}
			if _, err := s.Pull(t.Context()); err == nil {
				t.Error("a subscription that has ended is pulled")
			}
			if _, wrong := server.Told(); wrong != 0 {
				t.Errorf("%d wrong passwords", wrong)
			}
		})
	}
}

// Who listens is told what is seen when it is said, whatever the device says of the
// time, and leaves no subscription behind.
func TestListening(t *testing.T) {
	server := onviftest.Serve(t, onviftest.Device{Events: true, Ahead: -30 * 365 * 24 * time.Hour})
	c := hurried(t, server, camera.Credentials{})
	ctx, stop := context.WithCancel(t.Context())
	saw, done := make(chan latchkey.Sighting, 10), make(chan error, 1)
	go func() { done <- c.Listen(ctx, []string{"mine"}, func(s latchkey.Sighting) { saw <- s }) }()
	until(t, "it subscribes", func() bool { return server.Subscribers() == 1 })
	server.Tell(onviftest.Notification(aPerson, "Changed", "another", "State", "true"))
	server.Tell(onviftest.Notification("tns1:VideoSource/MotionAlarm", "Changed", "mine", "State", "true"))
	server.Tell(onviftest.Notification("tns1:RuleEngine/MyRuleDetector/DogCatDetect", "Changed", "mine", "State", "true"))
	server.Tell(onviftest.Notification("tns1:RuleEngine/MyRuleDetector/VehicleDetect", "Changed", "mine", "State", "true"))
	var all latchkey.Sighting
	for all != latchkey.SawAnimal|latchkey.SawVehicle {
		select {
		case s := <-saw:
			all |= s
		case <-time.After(30 * time.Second):
			t.Fatalf("%v was told", all.Names())
		}
		if all&latchkey.SawPerson != 0 {
			t.Fatal("what another camera of the same device saw is taken for this one's")
		}
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) || server.Subscribers() != 0 {
		t.Errorf("%v, and %d subscriptions are left", err, server.Subscribers())
	}
}

// Listening goes on for longer than a subscription lasts, with a device that renews it and
// with one that cannot.
func TestListeningGoesOn(t *testing.T) {
	for name, renews := range map[string]bool{"renews": true, "does not renew": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := onviftest.Serve(t, onviftest.Device{Events: true, Answer: func(w http.ResponseWriter, operation, _ string) bool {
				if operation != "Renew" || renews {
					return false
				}
				io.WriteString(w, onviftest.Fault("ActionNotSupported"))
				return true
			}})
			c, err := onvif.Open(t.Context(), onvif.Config{Address: server.Address(), Patience: time.Second, Lasts: 4 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, stop := context.WithCancel(t.Context())
			saw, done := make(chan latchkey.Sighting, 100), make(chan error, 1)
			go func() { done <- c.Listen(ctx, nil, func(s latchkey.Sighting) { saw <- s }) }()
			until(t, "it subscribes", func() bool { return server.Subscribers() == 1 })
			made := func(operation string) (n int) {
				for _, asked := range server.Asked() {
					if asked == operation {
						n++
					}
				}
				return n
			}
			until(t, "it is asked to renew twice", func() bool { return made("Renew") >= 2 })
			until(t, "there is one subscription", func() bool { return server.Subscribers() == 1 })
			server.Tell(onviftest.Notification(aPerson, "Changed", "v", "State", "true"))
			select {
			case s := <-saw:
				if s != latchkey.SawPerson {
					t.Errorf("it saw %v", s.Names())
				}
			case err := <-done:
				t.Fatal(err)
			case <-time.After(30 * time.Second):
				t.Fatal("nothing is heard any more")
			}
			if subscribed := made("CreatePullPointSubscription"); (subscribed == 1) != renews {
				t.Errorf("it subscribed %d times", subscribed)
			}
			stop()
			if err := <-done; !errors.Is(err, context.Canceled) || server.Subscribers() != 0 {
				t.Errorf("%v; %d subscriptions are left", err, server.Subscribers())
			}
		})
	}
}

// A device that took the password and takes it no more may have got another clock: that
// is not yet a wrong password, which would never be tried again.
func TestAPasswordThatIsNotTakenAnyMore(t *testing.T) {
	server := onviftest.Serve(t, onviftest.Device{Events: true, User: "admin", Password: "right", Answer: func(w http.ResponseWriter, operation, _ string) bool {
		if operation == "PullMessages" {
			io.WriteString(w, onviftest.Fault("NotAuthorized"))
		}
		return operation == "PullMessages"
	}})
	err := hurried(t, server, credentials("admin", "right")).Listen(t.Context(), nil, func(s latchkey.Sighting) { t.Errorf("it saw %v", s.Names()) })
	if err == nil || errors.Is(err, onvif.ErrRefused) {
		t.Error(err)
	}
}

// A device that wants a new proof of the password gets one, because the number that the
// old one is made with grows old.
func TestANumberThatGrowsOld(t *testing.T) {
	var stale atomic.Bool
	server := onviftest.Serve(t, onviftest.Device{Events: true, User: "admin", Password: "right", HTTP: true, Answer: func(w http.ResponseWriter, operation, _ string) bool {
		if operation != "PullMessages" || !stale.CompareAndSwap(true, false) {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Digest realm="cam", qop="auth", nonce="abc", algorithm=MD5, stale=true`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}})
	s, err := hurried(t, server, credentials("admin", "right")).Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stale.Store(true)
	if _, err := s.Pull(t.Context()); err != nil || stale.Load() {
		t.Error(err)
	}
}

// Devices that misbehave end the listening, each with its error, and nothing else.
func TestDevicesThatCannotBeListenedTo(t *testing.T) {
	named := func(address string) string {
		return onviftest.Envelope(`<CreatePullPointSubscriptionResponse><SubscriptionReference><Address>` + address + `</Address></SubscriptionReference></CreatePullPointSubscriptionResponse>`)
	}
	for name, test := range map[string]struct {
		device onviftest.Device
		answer map[string]func(w http.ResponseWriter)
		want   error // nil: any
	}{
		"has no events":              {device: onviftest.Device{}},
		"refuses the password":       {device: onviftest.Device{Events: true, User: "admin", Password: "right"}, want: onvif.ErrRefused},
		"names no address":           {answer: map[string]func(http.ResponseWriter){"CreatePullPointSubscription": text(named(""))}, want: onvif.ErrMalformed},
		"names an address of itself": {answer: map[string]func(http.ResponseWriter){"CreatePullPointSubscription": text(named("urn:uuid:1"))}, want: onvif.ErrMalformed},
		"answers something else":     {answer: map[string]func(http.ResponseWriter){"PullMessages": text(onviftest.Envelope(`<GetProfilesResponse/>`))}, want: onvif.ErrMalformed},
		"answers with a page":        {answer: map[string]func(http.ResponseWriter){"PullMessages": text(`<html><body>Welcome<br></body></html>`)}, want: onvif.ErrMalformed},
		"answers too much":           {answer: map[string]func(http.ResponseWriter){"PullMessages": text("<a>" + strings.Repeat("x", 2<<20) + "</a>")}, want: onvif.ErrTooLarge},
		"never answers":              {answer: map[string]func(http.ResponseWriter){"PullMessages": func(http.ResponseWriter) { time.Sleep(3 * time.Second) }}},
		"forgets": {answer: map[string]func(http.ResponseWriter){"PullMessages": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, onviftest.Fault("ResourceUnknown"))
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			d := test.device
			d.Events = d.Events || test.answer != nil
			d.Answer = func(w http.ResponseWriter, operation, _ string) bool {
				answer := test.answer[operation]
				if answer != nil {
					answer(w)
				}
				return answer != nil
			}
			server := onviftest.Serve(t, d)
			began := time.Now()
			err := hurried(t, server, credentials("admin", "wrong")).Listen(t.Context(), nil, func(s latchkey.Sighting) { t.Errorf("it saw %v", s.Names()) })
			if err == nil || test.want != nil && !errors.Is(err, test.want) || time.Since(began) > 20*time.Second {
				t.Errorf("%v after %v, want %v", err, time.Since(began), test.want)
			}
			if told, _ := server.Told(); told > 1 && test.want == onvif.ErrRefused {
				t.Errorf("a wrong password was told %d times", told)
			}
		})
	}
}

// Of the address that a device names only the path is used.
func TestASubscriptionElsewhere(t *testing.T) {
	elsewhere := onviftest.Serve(t, onviftest.Device{Events: true})
	server := onviftest.Serve(t, onviftest.Device{User: "admin", Password: "right", Answer: func(w http.ResponseWriter, operation, _ string) bool {
		if operation == "CreatePullPointSubscription" {
			io.WriteString(w, onviftest.Envelope(`<CreatePullPointSubscriptionResponse><SubscriptionReference><Address>http://`+elsewhere.Address().String()+`/onvif/pull?n=1</Address></SubscriptionReference></CreatePullPointSubscriptionResponse>`))
			return true
		}
		return false
	}})
	c := hurried(t, server, credentials("admin", "right"))
	s, err := c.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pull(t.Context()); err == nil || !slices.Contains(server.Asked(), "PullMessages") {
		t.Errorf("%v; the device itself was asked for %v", err, server.Asked())
	}
	if asked := elsewhere.Asked(); len(asked) != 0 {
		t.Errorf("another host was asked for %v", asked)
	}
}

// A device that answers at once and with as much as it can is asked seldom, and costs
// little.
func TestAFloodOfMessages(t *testing.T) {
	var pulls atomic.Int32
	flood := onviftest.Envelope(`<PullMessagesResponse>` + strings.Repeat(onviftest.Notification(aPerson, "Changed", "v", "State", "true"), 1500) + `</PullMessagesResponse>`)
	server := onviftest.Serve(t, onviftest.Device{Events: true, Answer: func(w http.ResponseWriter, operation, _ string) bool {
		if operation == "PullMessages" {
			pulls.Add(1)
			io.WriteString(w, flood)
		}
		return operation == "PullMessages"
	}})
	c := hurried(t, server, camera.Credentials{})
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	told := 0
	err := c.Listen(ctx, nil, func(s latchkey.Sighting) {
		if told++; s != latchkey.SawPerson {
			t.Errorf("it saw %v", s.Names())
		}
	})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, context.DeadlineExceeded) || pulls.Load() != 1 || told != 1 {
		t.Errorf("%v; in three seconds it was asked %d times, and %d times something was told", err, pulls.Load(), told)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MiB were allocated for it", grown>>20)
	}
}

// What a device has to be told again stays what it said: its letters are no markup here.
func TestWhatADeviceWantsToBeToldAgain(t *testing.T) {
	var header atomic.Value
	server := onviftest.Serve(t, onviftest.Device{Answer: func(w http.ResponseWriter, operation, body string) bool {
		switch operation {
		case "CreatePullPointSubscription":
			many := strings.Repeat(`<More>1</More>`, 9)
			io.WriteString(w, onviftest.Envelope(fmt.Sprintf(`<CreatePullPointSubscriptionResponse><SubscriptionReference><Address>/p</Address><ReferenceParameters><x:Key xmlns:x='urn:"a"'>&lt;/Key&gt;&lt;Evil/&gt;</x:Key>%s</ReferenceParameters></SubscriptionReference></CreatePullPointSubscriptionResponse>`, many)))
		case "PullMessages":
			header.Store(body)
			io.WriteString(w, onviftest.Envelope(`<PullMessagesResponse/>`))
		}
		return operation == "CreatePullPointSubscription" || operation == "PullMessages"
	}})
	s, err := hurried(t, server, camera.Credentials{}).Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := header.Load().(string)
	if strings.Contains(body, "<Evil") || !strings.Contains(body, `&lt;Evil/&gt;</Key>`) || strings.Count(body, "<More") != 3 {
		t.Error(body)
	}
}
