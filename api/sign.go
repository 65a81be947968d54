package api

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// ErrSignature says that a signature does not verify.
var ErrSignature = errors.New("the signature does not verify")

// ErrExpired says that something is past its time, or dated too far ahead.
var ErrExpired = errors.New("expired, or dated too far ahead")

// SignInMessage is what a device signs to sign in. The signature covers the MAC key, so
// that nobody on the way puts in another.
func SignInMessage(nonce []byte, home latchkey.HomeID, device latchkey.DeviceID, head latchkey.Head, mac MACKey) []byte {
	var w wire.Writer
	w.Label("latchkey sign-in v2")
	w.Raw(nonce)
	w.Raw(home[:])
	w.Raw(device[:])
	w.Head(head)
	w.Raw(mac[:])
	return w.Bytes()
}

// SignInPersonMessage is what a person signs to sign in without a device.
func SignInPersonMessage(nonce []byte, home latchkey.HomeID, person latchkey.PersonID, head latchkey.Head, mac MACKey) []byte {
	var w wire.Writer
	w.Label("latchkey sign-in person v1")
	w.Raw(nonce)
	w.Raw(home[:])
	w.Raw(person[:])
	w.Head(head)
	w.Raw(mac[:])
	return w.Bytes()
}

// HelloMessage is what an agent signs in its hello. A nil head is none.
func HelloMessage(nonce []byte, home latchkey.HomeID, agent latchkey.AgentID, head *latchkey.Head, incarnation uint64, token, next []byte) []byte {
	tokenHash, nextHash := sha256.Sum256(token), sha256.Sum256(next)
	var w wire.Writer
	w.Label("latchkey hello v1")
	w.Raw(nonce)
	w.Raw(home[:])
	w.Raw(agent[:])
	if head == nil {
		head = &latchkey.Head{}
	}
	w.Head(*head)
	w.U64(incarnation)
	w.Raw(tokenHash[:])
	w.Raw(nextHash[:])
	return w.Bytes()
}

// SignHello completes a hello for the nonce of a challenge.
func SignHello(h Hello, nonce []byte, signer crypto.Signer) (Hello, error) {
	head, err := h.KnownHead()
	if err != nil {
		return h, fmt.Errorf("sign hello: %w", err)
	}
	h.Signature, err = sign(signer, HelloMessage(nonce, h.Home, h.Agent, head, h.Incarnation, h.Token, h.NextToken))
	if err != nil {
		return h, fmt.Errorf("sign hello: %w", err)
	}
	return h, nil
}

// KnownHead is the head that the agent knows, nil for none.
func (h Hello) KnownHead() (*latchkey.Head, error) {
	if h.Head == "" {
		return nil, nil
	}
	head, err := latchkey.ParseHead(h.Head)
	if err != nil {
		return nil, err
	}
	return &head, nil
}

// Verify checks the hello's signature with the agent's keys.
func (h Hello) Verify(nonce []byte, keys []deed.Key) error {
	head, err := h.KnownHead()
	if err != nil {
		return err
	}
	message := HelloMessage(nonce, h.Home, h.Agent, head, h.Incarnation, h.Token, h.NextToken)
	return verify(keys, message, h.Signature)
}

// verify checks one signature by one key. A second key of a signer waits for a second
// algorithm (docs/deed.md, "Keys"), and so does the place for its signature here.
func verify(keys []deed.Key, message, signature []byte) error {
	if len(keys) != 1 || !keys[0].Verify(message, signature) {
		return ErrSignature
	}
	return nil
}

func sign(signer crypto.Signer, message []byte) ([]byte, error) {
	return signer.Sign(rand.Reader, message, crypto.Hash(0))
}

const (
	agentRequestVersion = 1
	agentRequestSize    = 1 + 32 + 16 + 40 + 8 + 16
	signatureSize       = 64
)

// AgentRequest says which agent makes a request, and what it knows.
type AgentRequest struct {
	Home    latchkey.HomeID
	Agent   latchkey.AgentID
	Head    latchkey.Head // the newest deed that the agent has verified
	Expires latchkey.Time
	Nonce   [16]byte
}

// NewAgentRequest returns a request that holds for half the time that it may, which
// leaves the other half for clocks that differ.
func NewAgentRequest(home latchkey.HomeID, agent latchkey.AgentID, head latchkey.Head, now time.Time) AgentRequest {
	r := AgentRequest{Home: home, Agent: agent, Head: head, Expires: latchkey.TimeOf(now.Add(RequestLife / 2))}
	rand.Read(r.Nonce[:])
	return r
}

func (r AgentRequest) bytes() []byte {
	var w wire.Writer
	w.U8(agentRequestVersion)
	w.Raw(r.Home[:])
	w.Raw(r.Agent[:])
	w.Head(r.Head)
	w.U64(uint64(r.Expires))
	w.Raw(r.Nonce[:])
	return w.Bytes()
}

func (r AgentRequest) message(method, path string) []byte {
	var w wire.Writer
	w.Label("latchkey request v1")
	w.Raw(r.bytes())
	w.LP16([]byte(method))
	w.LP16([]byte(path))
	return w.Bytes()
}

// Sign returns the header [HeaderAgent] for a request of that method to that path.
func (r AgentRequest) Sign(signer crypto.Signer, method, path string) (string, error) {
	signature, err := sign(signer, r.message(method, path))
	if err != nil {
		return "", fmt.Errorf("sign request: %w", err)
	}
	return base64.StdEncoding.EncodeToString(append(r.bytes(), signature...)), nil
}

// SignedAgentRequest is a header that was parsed, and nothing more.
type SignedAgentRequest struct {
	AgentRequest
	Signature []byte
}

// ParseAgentRequest reads the header [HeaderAgent]. The errors are [ErrMalformed] and
// [ErrVersion].
func ParseAgentRequest(header string) (SignedAgentRequest, error) {
	var r SignedAgentRequest
	if len(header) > 2*(agentRequestSize+signatureSize) {
		return r, fmt.Errorf("%w: header of %d characters", ErrMalformed, len(header))
	}
	b, _ := base64.StdEncoding.Strict().DecodeString(header)
	if base64.StdEncoding.EncodeToString(b) != header { // it does not decode, or has line ends, which the decoder skips
		return r, fmt.Errorf("%w: header is not base64", ErrMalformed)
	}
	in := wire.NewReader(b)
	if version := in.U8(); in.Err() == nil && version != agentRequestVersion {
		return r, fmt.Errorf("%w: request of version %d", ErrVersion, version)
	}
	in.Into(r.Home[:])
	in.Into(r.Agent[:])
	r.Head = in.Head()
	r.Expires = latchkey.Time(in.U64())
	in.Into(r.Nonce[:])
	r.Signature = in.Raw(signatureSize)
	if err := in.Done(); err != nil {
		return SignedAgentRequest{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return r, nil
}

// Verify checks that the request is for that method and path and now, and that the
// keys' owner signed it. Whether it came before is the caller's to know, by its nonce.
func (r SignedAgentRequest) Verify(keys []deed.Key, method, path string, now time.Time) error {
	at := latchkey.TimeOf(now)
	if r.Expires < at || r.Expires > latchkey.TimeOf(now.Add(RequestLife)) {
		return fmt.Errorf("request until %s: %w", r.Expires.Time().Format(time.RFC3339), ErrExpired)
	}
	return verify(keys, r.message(method, path), r.Signature)
}
