package key

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// AgentKeys are the secrets of an agent. With them objects are signed for its
// cameras and its settings are opened; no recording can be opened with them.
type AgentKeys struct {
	Agent   latchkey.AgentID
	Signing ed25519.PrivateKey // objects and requests
	KEM     *Private           // what is for the agent is sealed to it
}

// NewAgentKeys makes the keys of a new agent.
func NewAgentKeys() (*AgentKeys, error) {
	kem, err := NewPrivate()
	if err != nil {
		return nil, err
	}
	return &AgentKeys{latchkey.NewAgentID(), Signing(), kem}, nil
}

// Format hides the secrets from every verb of fmt.
func (AgentKeys) Format(f fmt.State, _ rune) { fmt.Fprint(f, secret) }

// LogValue hides it from structured logs.
func (AgentKeys) LogValue() slog.Value { return slog.StringValue(secret) }

// KeyID is that of the signing key, as bindings name it.
func (k *AgentKeys) KeyID() latchkey.KeyID { return signingID(k.Signing).ID() }

// Body is the statement that places this agent.
func (k *AgentKeys) Body() deed.AgentBody {
	return deed.AgentBody{Agent: k.Agent, Signing: []deed.Key{signingID(k.Signing)}, KEM: k.KEM.Public()}
}

// Find returns the agent's KEM key if that is what the key of a settings document is
// sealed to.
func (k *AgentKeys) Find(kind sealed.RecipientKind, id latchkey.KeyID) (*Private, bool) {
	if kind != sealed.ToAgent || id != k.KEM.ID() {
		return nil, false
	}
	return k.KEM, true
}

// agentFile is the JSON of an agent's key file. Bytes are base64, as encoding/json has it.
type agentFile struct {
	V       int              `json:"v"`
	Agent   latchkey.AgentID `json:"agent"`
	Signing []byte           `json:"signing"` // seed
	KEM     []byte           `json:"kem"`     // seed
}

// LoadAgent reads the key file of an agent. A file that does not exist is
// [fs.ErrNotExist].
func LoadAgent(path string) (*AgentKeys, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read agent's keys: %w", err)
	}
	var f agentFile
	if err := json.Unmarshal(b, &f); err != nil {
		// The error is not wrapped: it could quote the file.
		return nil, fmt.Errorf("read agent's keys: %s is no key file", path)
	}
	if f.V != 1 || len(f.Signing) != ed25519.SeedSize {
		return nil, fmt.Errorf("read agent's keys: %s is no key file of version 1", path)
	}
	kem, err := PrivateFromSeed(f.KEM)
	if err != nil {
		return nil, fmt.Errorf("read agent's keys: %s: %w", path, err)
	}
	return &AgentKeys{f.Agent, ed25519.NewKeyFromSeed(f.Signing), kem}, nil
}

// Save writes the key file of an agent, for its owner's eyes only. It is there whole
// or not at all, also after a power cut, and never takes the place of another.
func (k *AgentKeys) Save(path string) error {
	b, err := json.Marshal(agentFile{1, k.Agent, k.Signing.Seed(), k.KEM.Seed()})
	if err != nil {
		return fmt.Errorf("write agent's keys: %w", err)
	}
	if err := writeSecret(path, append(b, '\n')); err != nil {
		return fmt.Errorf("write agent's keys: %w", err)
	}
	return nil
}

// writeSecret makes a file that did not exist, for its owner's eyes only.
func writeSecret(path string, b []byte) (err error) {
	dir, err := durable.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	name := filepath.Base(path)
	if _, err := dir.Stat(name); err == nil {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return durable.WriteBytes(dir, name, b)
}
