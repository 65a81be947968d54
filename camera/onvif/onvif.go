// Package onvif asks a camera about itself: what time it has, what it is called, which
// streams it offers, what it sees. It speaks the few sentences of ONVIF that this takes,
// and finds the cameras of a network that want to be found.
//
// Whoever answers is a stranger. An answer is read up to a mebibyte and in one pass, no
// entity is ever expanded, names are compared without their namespaces because half of
// the cameras get those wrong, and every text is cut short and cleaned. Everything goes
// to the address that was given: a redirection is an answer like any other, and of the
// addresses that a camera names nothing is used but the path.
package onvif

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
)

const (
	maxAnswer  = 1 << 20 // bytes of one answer; the largest seen in the field, the profiles of a recorder, has 200 KB
	maxHeaders = 16 << 10

	// DevicePath is where every device answers for itself.
	DevicePath = "/onvif/device_service"

	defaultPatience, defaultLasts = 5 * time.Second, time.Minute
)

// Errors that callers tell apart.
var (
	// ErrRefused is that the device wants a user and password and was given none, or
	// does not take those that it was given.
	ErrRefused = errors.New("the device refuses this user and password")

	// ErrTooLarge is that an answer had more than a mebibyte.
	ErrTooLarge = errors.New("the answer is too large")

	// ErrMalformed is that an answer is not what ONVIF says it is.
	ErrMalformed = errors.New("the answer is malformed")
)

// Config says which device is asked and how.
type Config struct {
	// Address is where the device is; it is connected to this and nothing else.
	Address netip.AddrPort

	// Path is where it answers for itself; [DevicePath] if empty.
	Path string

	// Credentials are given to the device when it wants some, once: after one
	// refusal they are not sent again.
	Credentials camera.Credentials

	// Patience is how long one answer may take; 5 s if zero.
	Patience time.Duration

	// Lasts is for how long a subscription is asked for at a time; a minute if zero.
	// Cameras have few of them, and keep those of who does not come back.
	Lasts time.Duration
}

// Client asks one device. It is for one goroutine.
type Client struct {
	config  Config
	http    *http.Client
	base    string        // of every request
	media   string        // path of its media service, "" until it has been asked for
	events  string        // path of its event service, likewise
	offset  time.Duration // the device's clock less ours
	clock   bool          // the device has told its time
	digest  *digest       // how it wants to be told the password over HTTP, nil if not that way
	login   bool          // it wants the password
	proven  bool          // it has taken it
	refused bool          // it does not take it
}

// Open asks the device for the time, which every ONVIF device tells to anybody. An
// error says that nothing at that address speaks ONVIF.
func Open(ctx context.Context, config Config) (*Client, error) {
	if config.Path == "" {
		config.Path = DevicePath
	}
	if config.Patience == 0 {
		config.Patience = defaultPatience
	}
	if config.Lasts == 0 {
		config.Lasts = defaultLasts
	}
	dialer := &net.Dialer{Timeout: config.Patience}
	c := &Client{config: config, base: (&url.URL{Scheme: "http", Host: config.Address.String()}).String()}
	c.http = &http.Client{
		Timeout:       config.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: nil, // a camera is asked directly or not at all
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", config.Address.String())
			},
			DisableCompression:     true, // what is short on the wire would not be here
			MaxResponseHeaderBytes: maxHeaders,
			MaxConnsPerHost:        1,
		},
	}
	if err := c.askTime(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("ask %v for its time: %w", config.Address, err)
	}
	return c, nil
}

// Close closes the connection.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Clock returns how far the device's clock is ahead of ours, to a second or two, and
// whether it has told a time that makes sense.
func (c *Client) Clock() (ahead time.Duration, known bool) { return c.offset, c.clock }

func (c *Client) askTime(ctx context.Context) error {
	began := time.Now()
	body, err := c.post(ctx, c.config.Path, envelope("", `<GetSystemDateAndTime xmlns="`+deviceNS+`"/>`), "")
	if err != nil {
		return err
	}
	answer := body.find("GetSystemDateAndTimeResponse")
	if answer == nil {
		if body.find("Fault") != nil {
			return nil // it speaks ONVIF, and tells strangers nothing
		}
		return ErrMalformed
	}
	utc := answer.find("UTCDateTime")
	if utc == nil {
		return nil
	}
	at, ok := utc.time()
	if ok {
		now := began.Add(time.Since(began) / 2)
		c.offset, c.clock = at.Sub(now.Round(0)), true
	}
	return nil
}

// Information is what a device says it is. Any of it may be empty.
type Information struct {
	Manufacturer, Model, Firmware, Serial, Hardware string
}

// Information asks the device what it is.
func (c *Client) Information(ctx context.Context) (Information, error) {
	answer, err := c.ask(ctx, c.config.Path, deviceNS, "GetDeviceInformation", "")
	if err != nil {
		return Information{}, fmt.Errorf("ask device what it is: %w", err)
	}
	return Information{
		Manufacturer: answer.text("Manufacturer"), Model: answer.text("Model"), Firmware: answer.text("FirmwareVersion"),
		Serial: answer.text("SerialNumber"), Hardware: answer.text("HardwareId"),
	}, nil
}

// MAC asks the device for the hardware address of its network interface; "" if it has
// several and so is not one camera's.
func (c *Client) MAC(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, c.config.Path, deviceNS, "GetNetworkInterfaces", "")
	if err != nil {
		return "", fmt.Errorf("ask device for its network: %w", err)
	}
	var found string
	for _, n := range answer.all("HwAddress") {
		mac, err := net.ParseMAC(clean(n.content, 32))
		if err != nil || len(mac) != 6 || found != "" && mac.String() != found {
			return "", nil
		}
		found = mac.String()
	}
	return found, nil
}

// Profile is one stream that a device offers.
type Profile struct {
	Token, Name   string
	Source        string // of the picture: profiles with the same show the same
	Configuration string // of that source, by which messages name it
	Encoding      string // as the device spells it
	Width, Height int
}

// maxProfiles is how many a recorder with 32 cameras has, and a few more.
const maxProfiles = 128

// Profiles asks the device for its streams, in its order.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	if c.media == "" {
		c.media = c.servicePath(ctx, "Media", "/onvif/media_service")
	}
	answer, err := c.ask(ctx, c.media, mediaNS, "GetProfiles", "")
	if err != nil {
		return nil, fmt.Errorf("ask device for its streams: %w", err)
	}
	var all []Profile
	for _, p := range answer.all("Profiles") {
		profile := Profile{Token: clean(p.attribute("token"), 128), Name: p.text("Name")}
		if source := p.find("VideoSourceConfiguration"); source != nil {
			profile.Source, profile.Configuration = source.text("SourceToken"), clean(source.attribute("token"), 128)
		}
		if encoder := p.find("VideoEncoderConfiguration"); encoder != nil {
			profile.Encoding = encoder.text("Encoding")
			if size := encoder.find("Resolution"); size != nil {
				profile.Width, profile.Height = size.number("Width"), size.number("Height")
			}
		}
		if profile.Token != "" && len(all) < maxProfiles {
			all = append(all, profile)
		}
	}
	return all, nil
}

// servicePath asks where one of the device's services answers. Of the address only the
// path is used: cameras behind a router and those with a wrong configuration name hosts
// that are not theirs.
func (c *Client) servicePath(ctx context.Context, category, usual string) string {
	answer, err := c.ask(ctx, c.config.Path, deviceNS, "GetCapabilities", "<Category>"+category+"</Category>")
	if err != nil {
		return usual
	}
	for _, n := range answer.all(category) {
		if path := pathOf(n.text("XAddr")); path != "" && len(path) < 256 {
			return path
		}
	}
	return usual
}

// pathOf returns the path of an address with its question, "" if it has none.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return ""
	}
	return u.RequestURI()
}

// StreamURI asks for the address of a profile's stream, and returns it as the device
// spells it: the host in it is often wrong and is for the caller to replace.
func (c *Client) StreamURI(ctx context.Context, token string) (*url.URL, error) {
	if c.media == "" {
		c.media = c.servicePath(ctx, "Media", "/onvif/media_service")
	}
	answer, err := c.ask(ctx, c.media, mediaNS, "GetStreamUri",
		`<StreamSetup><Stream xmlns="`+schemaNS+`">RTP-Unicast</Stream><Transport xmlns="`+schemaNS+`"><Protocol>RTSP</Protocol></Transport></StreamSetup>`+
			"<ProfileToken>"+escape(token)+"</ProfileToken>")
	if err != nil {
		return nil, fmt.Errorf("ask device for the address of a stream: %w", err)
	}
	u, err := url.Parse(answer.whole("Uri", 2048))
	if err != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Host == "" {
		return nil, fmt.Errorf("ask device for the address of a stream: %w", ErrMalformed)
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u, nil
}
