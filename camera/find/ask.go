package find

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
	"github.com/bluenviron/gortsplib/v5/pkg/sdpunmarshaler"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/media"
)

// errRefused is that the device does not take the password. It is not asked again.
var errRefused = errors.New("the device refuses the password")

// maxQuestions is how many descriptions a probe asks for. The tables of paths are
// shorter; a device that names hundreds of streams runs into it.
const maxQuestions = 48

// asker asks a device to describe its streams, over one connection at a time and
// without beginning a session.
type asker struct {
	address     netip.AddrPort
	secure      bool
	credentials camera.Credentials
	patience    time.Duration

	conn     net.Conn
	in       *bufio.Reader
	sequence int
	asked    int
	login    *auth.Sender // nil until the device wants the password
	proven   bool         // the device has taken it
	refused  bool         // it has not

	server, realm string
	basic         bool // it takes the password as it is
	certificate   string
}

// answer is what a device says of a path.
type answer struct {
	status base.StatusCode
	video  string // "H264", "H265", "MJPEG", ... ; "" if it described none
	audio  string
	width  int // 0 if it did not say
	height int
	extra  string // what tells this description from another one's
}

// connect makes sure that there is a connection.
func (a *asker) connect(ctx context.Context) error {
	if a.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, min(a.patience, 5*time.Second))
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address.String())
	if err != nil {
		return err
	}
	if a.secure {
		certificate := ""
		if conn, certificate, err = secured(ctx, conn); err != nil {
			return err
		}
		if a.certificate != "" && certificate != a.certificate {
			conn.Close()
			return errors.New("the device shows another certificate than a moment ago")
		}
		a.certificate = certificate
	}
	a.conn, a.in = conn, bufio.NewReader(conn)
	return nil
}

// secured puts TLS on a connection and returns the certificate's SHA-256. Cameras sign
// their certificates themselves: what counts is that it stays the same.
func secured(ctx context.Context, conn net.Conn) (net.Conn, string, error) {
	t := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	if err := t.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, "", err
	}
	leaf := t.ConnectionState().PeerCertificates
	if len(leaf) == 0 {
		t.Close()
		return nil, "", errors.New("the device shows no certificate")
	}
	sum := sha256.Sum256(leaf[0].Raw)
	return t, hex.EncodeToString(sum[:]), nil
}

func (a *asker) close() {
	if a.conn != nil {
		a.conn.Close()
		a.conn = nil
	}
}

// describe asks for the description of a path. The device's refusal of the password is
// errRefused, now and for ever; without a password it is the answer 401.
func (a *asker) describe(ctx context.Context, path string) (answer, error) {
	if a.refused {
		return answer{}, errRefused
	}
	if a.asked++; a.asked > maxQuestions {
		return answer{}, fmt.Errorf("more than %d questions", maxQuestions)
	}
	u, err := url.Parse((&url.URL{Scheme: "rtsp", Host: a.address.String()}).String() + path)
	if err != nil {
		return answer{}, fmt.Errorf("ask for stream: %w", errNoAddress)
	}
	for again := 0; ; again++ {
		given := a.login != nil
		res, err := a.exchange(ctx, (*base.URL)(u))
		if err != nil {
			return answer{}, err
		}
		a.note(res)
		if res.StatusCode != base.StatusUnauthorized {
			a.proven = a.proven || given
			return read(res), nil
		}
		if given && (!a.proven || again > 1) {
			a.refused = true
			return answer{}, errRefused
		}
		a.login = &auth.Sender{WWWAuth: res.Header["WWW-Authenticate"],
			User: a.credentials.User.Reveal(), Pass: a.credentials.Password.Reveal()}
		if a.credentials.User.Reveal() == "" || a.login.Initialize() != nil {
			a.login = nil
			return answer{status: res.StatusCode}, nil
		}
	}
}

// exchange sends one question and reads the answer. A device that closes the connection
// after each answer is connected to anew.
func (a *asker) exchange(ctx context.Context, u *base.URL) (*base.Response, error) {
	for again := false; ; again = true {
		fresh := a.conn == nil
		if err := a.connect(ctx); err != nil {
			return nil, err
		}
		res, err := a.once(ctx, u)
		if err == nil {
			if strings.EqualFold(first(res.Header, "Connection"), "close") {
				a.close()
			}
			return res, nil
		}
		a.close()
		if fresh || again || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (a *asker) once(ctx context.Context, u *base.URL) (*base.Response, error) {
	a.sequence++
	a.conn.SetDeadline(time.Now().Add(a.patience))
	stop := context.AfterFunc(ctx, func() { a.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req := &base.Request{Method: base.Describe, URL: u, Header: base.Header{
		"CSeq": {strconv.Itoa(a.sequence)}, "Accept": {"application/sdp"}, "User-Agent": {"Latchkey"},
	}}
	if a.login != nil {
		a.login.AddAuthorization(req)
	}
	b, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	if _, err := a.conn.Write(b); err != nil {
		return nil, err
	}
	var res base.Response
	if err := res.Unmarshal(a.in); err != nil {
		return nil, err
	}
	return &res, nil
}

// note keeps what an answer says of the device.
func (a *asker) note(res *base.Response) {
	if s := first(res.Header, "Server"); s != "" {
		a.server = plain(s, 128)
	}
	digest := false
	for _, v := range res.Header["WWW-Authenticate"] {
		var h headers.Authenticate
		if h.Unmarshal(base.HeaderValue{v}) == nil {
			a.realm, digest = plain(h.Realm, 128), digest || h.Method == headers.AuthMethodDigest
			a.basic = !digest
		}
	}
}

func first(h base.Header, name string) string {
	if len(h[name]) == 0 {
		return ""
	}
	return h[name][0]
}

// read reads a description. What it cannot read is a stream without properties: it is
// watched later by the one that knows how.
func read(res *base.Response) answer {
	a := answer{status: res.StatusCode}
	if a.status != base.StatusOK {
		return a
	}
	offer, err := camera.ParseOffer(res.Body)
	if err != nil {
		return a
	}
	for _, t := range offer.Tracks {
		switch {
		case t.Kind == "video" && a.video == "":
			switch a.video = plain(t.Name, 32); a.video {
			case "JPEG":
				a.video = "MJPEG"
			case "HEVC":
				a.video = "H265"
			}
		case t.Kind == "audio" && a.audio == "":
			a.audio = plain(t.Name, 32)
		}
	}
	a.width, a.height = size(res.Body)
	a.extra = fmt.Sprintf("%s %s %dx%d", a.video, a.audio, a.width, a.height)
	return a
}

// size returns the size of the picture of a stream if its description says it.
func size(sdp []byte) (width, height int) {
	defer func() {
		if recover() != nil { // the parser is another's, and the text a stranger's
			width, height = 0, 0
		}
	}()
	ssd, err := sdpunmarshaler.Unmarshal(sdp)
	if err != nil {
		return 0, 0
	}
	var desc description.Session
	if desc.Unmarshal2(ssd) != nil {
		return 0, 0
	}
	var p *media.Parameters
	var h264 *format.H264
	var h265 *format.H265
	if desc.FindFormat(&h264) != nil {
		p, err = media.NewParameters(h264.SPS, h264.PPS)
	} else if desc.FindFormat(&h265) != nil {
		p, err = media.NewParameters265(h265.VPS, h265.SPS, h265.PPS)
	}
	if err != nil || p == nil {
		return 0, 0
	}
	return p.Width(), p.Height()
}

// plain makes of a stranger's text a short one of letters that can be shown anywhere.
func plain(s string, longest int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s[:min(len(s), longest)])
}
