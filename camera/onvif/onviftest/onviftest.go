// Package onviftest is ONVIF devices for tests. They check passwords and clocks as
// cameras do, and can be told to answer anything instead.
package onviftest

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Stream is one profile of a device.
type Stream struct {
	Token, Source, Encoding string
	Width, Height           int
	URI                     string
}

// Device is what a device is and does. The zero Device is open to everybody.
type Device struct {
	User, Password string
	HTTP           bool // the password is asked for by HTTP's Digest and not in the message

	Manufacturer, Model, Serial string
	MACs                        []string
	Streams                     []Stream
	Ahead                       time.Duration // its clock
	Events                      bool          // it can be subscribed to; what happens is told by [Server.Tell]

	// Answer may take a request out of the device's hands: it answers and reports
	// true. The operation is "" if it could not be read.
	Answer func(w http.ResponseWriter, operation, body string) bool
}

// Server is a device that answers.
type Server struct {
	Device
	address netip.AddrPort

	mu     sync.Mutex // protects what follows
	asked  []string
	told   int // requests with a proof of the password in them
	refuse int // of those, how many were wrong
	events events
}

// Serve starts a device on a port of its own. It ends with the test.
func Serve(t testing.TB, d Device) *Server {
	t.Helper()
	return ServeAt(t, d, 0)
}

// ServeAt starts a device on the first of those ports that is free.
func ServeAt(t testing.TB, d Device, ports ...uint16) *Server {
	t.Helper()
	for _, port := range ports {
		l, err := net.Listen("tcp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
		if err != nil {
			continue
		}
		s := &Server{Device: d, address: netip.MustParseAddrPort(l.Addr().String())}
		h := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
		h.Start()
		t.Cleanup(h.Close)
		return s
	}
	t.Fatalf("none of the ports %v is free", ports)
	panic("unreachable")
}

// Address returns where the device is.
func (s *Server) Address() netip.AddrPort { return s.address }

// Asked returns the operations that were asked for, in order.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Told returns how many requests held a proof of the password, and how many of those
// proofs were wrong.
func (s *Server) Told() (told, wrong int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told, s.refuse
}

var operation = regexp.MustCompile(`<s:Body><(?:\w+:)?(\w+)`)

// ServeHTTP is for the HTTP server.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	body, asked := string(b), ""
	if m := operation.FindStringSubmatch(body); m != nil {
		asked = m[1]
	}
	tells := r.Header.Get("Authorization") != "" || strings.Contains(body, "UsernameToken")
	s.mu.Lock()
	s.asked = append(s.asked, asked)
	if tells {
		s.told++
	}
	s.mu.Unlock()
	if s.Answer != nil && s.Answer(w, asked, body) {
		return
	}
	if asked != "GetSystemDateAndTime" && s.User != "" && !s.admits(r, body) {
		if tells {
			s.mu.Lock()
			s.refuse++
			s.mu.Unlock()
		}
		if s.HTTP {
			w.Header().Set("WWW-Authenticate", `Digest realm="cam", qop="auth", nonce="abc", algorithm=MD5`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, Fault("NotAuthorized"))
		return
	}
	if s.Events && s.subscribed(w, r, asked, body) {
		return
	}
	io.WriteString(w, s.answer(asked, body))
}

var secrets = regexp.MustCompile(`<Username>(.*)</Username><Password [^>]*>(.*)</Password><Nonce [^>]*>(.*)</Nonce><Created [^>]*>(.*)</Created>`)

var fields = regexp.MustCompile(`(\w+)="?([^",]*)`)

// admits reports whether a request proves the password, and by the device's clock now.
func (s *Server) admits(r *http.Request, body string) bool {
	if s.HTTP {
		f := map[string]string{}
		for _, m := range fields.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
			f[m[1]] = m[2]
		}
		secret := hash(s.User + ":cam:" + s.Password)
		return f["username"] == s.User && f["response"] == hash(secret+":abc:"+f["nc"]+":"+f["cnonce"]+":auth:"+hash("POST:"+r.URL.RequestURI()))
	}
	m := secrets.FindStringSubmatch(body)
	if m == nil {
		return false
	}
	nonce, err := base64.StdEncoding.DecodeString(m[3])
	created, err2 := time.Parse(time.RFC3339, m[4])
	if err != nil || err2 != nil || created.Sub(time.Now().Add(s.Ahead)).Abs() > 30*time.Second {
		return false
	}
	sum := sha1.Sum([]byte(string(nonce) + m[4] + s.Password))
	return m[1] == s.User && m[2] == base64.StdEncoding.EncodeToString(sum[:])
}

func hash(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s *Server) answer(asked, body string) string {
	switch asked {
	case "GetSystemDateAndTime":
		t := time.Now().Add(s.Ahead).UTC()
		return Envelope(fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
			t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day()))
	case "GetDeviceInformation":
		return Envelope(fmt.Sprintf(`<tds:GetDeviceInformationResponse><tds:Manufacturer>%s</tds:Manufacturer><tds:Model>%s</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>%s</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`,
			s.Manufacturer, s.Model, s.Serial))
	case "GetNetworkInterfaces":
		list := ""
		for _, mac := range s.MACs {
			list += `<tds:NetworkInterfaces token="e"><tt:Info><tt:HwAddress>` + mac + `</tt:HwAddress></tt:Info></tds:NetworkInterfaces>`
		}
		return Envelope(`<tds:GetNetworkInterfacesResponse>` + list + `</tds:GetNetworkInterfacesResponse>`)
	case "GetCapabilities":
		return Envelope(`<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Events><tt:XAddr>http://10.99.99.99/onvif/Events</tt:XAddr></tt:Events><tt:Media><tt:XAddr>http://10.99.99.99/onvif/Media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`)
	case "GetProfiles":
		list := ""
		for _, p := range s.Streams {
			list += fmt.Sprintf(`<trt:Profiles token="%s"><tt:Name>%[1]s</tt:Name><tt:VideoSourceConfiguration token="of-%[2]s"><tt:SourceToken>%[2]s</tt:SourceToken></tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration><tt:Encoding>%[3]s</tt:Encoding><tt:Resolution><tt:Width>%[4]d</tt:Width><tt:Height>%[5]d</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>`,
				p.Token, p.Source, p.Encoding, p.Width, p.Height)
		}
		return Envelope(`<trt:GetProfilesResponse>` + list + `</trt:GetProfilesResponse>`)
	case "GetStreamUri":
		for _, p := range s.Streams {
			if strings.Contains(body, "<ProfileToken>"+p.Token+"</ProfileToken>") {
				return Envelope(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>` + strings.ReplaceAll(p.URI, "&", "&amp;") + `</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`)
			}
		}
	}
	return Fault("ActionNotSupported")
}

// Envelope puts an answer into its envelope. The namespaces are made up, as on many
// devices.
func Envelope(body string) string {
	return `<?xml version="1.0" encoding="utf-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="urn:wrong" xmlns:tt="urn:other"><SOAP-ENV:Body>` + body + `</SOAP-ENV:Body></SOAP-ENV:Envelope>`
}

// Fault is a refusal of that kind.
func Fault(kind string) string {
	return Envelope(`<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value><SOAP-ENV:Subcode><SOAP-ENV:Value>ter:` + kind + `</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code><SOAP-ENV:Reason><SOAP-ENV:Text>no</SOAP-ENV:Text></SOAP-ENV:Reason></SOAP-ENV:Fault>`)
}

// Responder answers who looks for devices.
type Responder struct {
	address netip.AddrPort

	mu    sync.Mutex // protects asked
	asked int
}

var messageID = regexp.MustCompile(`<a:MessageID>([^<]*)</a:MessageID>`)

// Respond starts a responder on a UDP port of its own, on every address of this machine.
// Answer is called for each question with its ID; send sends one datagram, from whichever
// address of this machine.
func Respond(t testing.TB, answer func(id string, send func(from netip.Addr, datagram string))) *Responder {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r := &Responder{address: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.asked++
			r.mu.Unlock()
			m := messageID.FindSubmatch(buffer[:n])
			if m == nil {
				t.Errorf("a question without an ID: %q", buffer[:n])
				return
			}
			senders := map[netip.Addr]*net.UDPConn{}
			answer(string(m[1]), func(sender netip.Addr, datagram string) {
				c := senders[sender]
				if c == nil {
					if c, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(sender, 0))); err != nil {
						t.Error(err)
						return
					}
					senders[sender] = c
				}
				c.WriteToUDPAddrPort([]byte(datagram), from) // the asker may have gone
			})
			for _, c := range senders {
				c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return r
}

// Address returns where the responder is asked.
func (r *Responder) Address() netip.AddrPort { return r.address }

// Questions returns how many it heard.
func (r *Responder) Questions() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// Match is an answer to the question of that ID.
func Match(id, addresses, scopes string) string {
	return Envelope(`<w:RelatesTo>` + id + `</w:RelatesTo><d:ProbeMatches><d:ProbeMatch><d:XAddrs>` + addresses + `</d:XAddrs><d:Scopes>` + scopes + `</d:Scopes></d:ProbeMatch></d:ProbeMatches>`)
}
