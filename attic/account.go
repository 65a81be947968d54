package attic

import (
	"encoding/json"
	"errors"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/archive"
)

// maxVaultFile bounds what is read of one: a vault in base64, and a little.
const maxVaultFile = 2 * account.MaxVault

// Vault is a person's vault as a server keeps it, which cannot open it, and the one thing
// that opens it here.
type Vault struct {
	Account  latchkey.AccountID
	Address  account.Address // whose the account was when the export was made; "" with a recovery code
	Unlocker archive.Unlocker
	Bytes    []byte
}

// ParseVault reads the vault that an export has written.
func ParseVault(b []byte) (v Vault, err error) {
	if len(b) > maxVaultFile {
		return v, errNoVault
	}
	var in struct {
		V        int                 `json:"v"`
		Account  latchkey.AccountID  `json:"account"`
		Email    string              `json:"email"`
		Unlocker latchkey.UnlockerID `json:"unlocker"`
		Kind     account.Kind        `json:"kind"`
		Params   []byte              `json:"params"`
		Wrapped  []byte              `json:"wrapped"`
		Verifier []byte              `json:"verifier"`
		Vault    []byte              `json:"vault"`
	}
	if json.Unmarshal(b, &in) != nil || in.V != 1 || len(in.Verifier) != 32 {
		return v, errNoVault
	}
	u := account.Unlocker{Account: in.Account, ID: in.Unlocker, Kind: in.Kind, Params: in.Params, Wrapped: in.Wrapped}
	if u.Kind == account.Passkey || u.Check() != nil {
		return v, errNoVault
	}
	if is, err := account.ParseVault(in.Vault); err != nil || is.Account != in.Account {
		return v, errNoVault
	}
	var address account.Address
	if u.Kind == account.Passphrase {
		if address, err = account.ParseAddress(in.Email); err != nil {
			return v, errNoVault
		}
	}
	return Vault{in.Account, address, archive.Unlocker{Unlocker: u, Verifier: in.Verifier}, in.Vault}, nil
}

var errNoVault = errors.New("that is no vault that an export of this version has written")
