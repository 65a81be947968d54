package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// codeStep is how long one code of an authenticator app is shown.
const codeStep = 30 * time.Second

// CodeSecret is what an account and an authenticator app share (RFC 6238).
type CodeSecret [20]byte

// NewCodeSecret makes a secret.
func NewCodeSecret() (s CodeSecret) {
	rand.Read(s[:])
	return s
}

// String hides the secret, so that no log or error shows it; [CodeSecret.Text] does not.
func (CodeSecret) String() string { return "(code secret)" }

// GoString is [CodeSecret.String].
func (CodeSecret) GoString() string { return "(code secret)" }

// Text is the secret as people type it into an app.
func (s CodeSecret) Text() string { return base32.StdEncoding.EncodeToString(s[:]) }

// URI is the secret as apps read it from a QR code. The address and the server's host
// tell people which account it is for.
func (s CodeSecret) URI(host string, a Address) (string, error) {
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: "Latchkey " + host, AccountName: string(a), Secret: s[:], Period: uint(codeStep.Seconds()),
	})
	if err != nil {
		return "", fmt.Errorf("make address of a code secret: %w", err)
	}
	return key.URL(), nil
}

// Code is what an app shows at that time.
func (s CodeSecret) Code(now time.Time) (string, error) { return s.at(stepOf(now)) }

// stepOf is 1 at least, so that there is one before it.
func stepOf(now time.Time) uint64 {
	return max(1, uint64(max(0, now.Unix()))/uint64(codeStep.Seconds()))
}

func (s CodeSecret) at(step uint64) (string, error) {
	code, err := hotp.GenerateCodeCustom(s.Text(), step, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return code, nil
}

// Step says which step's code this is: the present one, or one to either side, and
// later than the last that was used, so that each works once. It is 0 if it is none of
// them. What it does, and how long it takes, does not depend on the code.
func (s CodeSecret) Step(code string, now time.Time, last uint64) (found uint64, err error) {
	present := stepOf(now)
	for _, step := range []uint64{present - 1, present, present + 1} {
		want, err := s.at(step)
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(code), []byte(want)) == 1 && step > last {
			found = step
		}
	}
	return found, nil
}
