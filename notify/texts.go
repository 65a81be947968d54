package notify

import (
	"fmt"

	"github.com/latchkey-cam/latchkey/account"
)

// What mails say. The host of the server is the only name in them. They have no links:
// whoever waits for a mail has the page open, and nobody should learn to follow links
// in mails of this kind.

// Code is the mail with which an address is verified. A code is eight digits.
func Code(to account.Address, host, code string) Mail {
	return Mail{to, "Your code for Latchkey: " + code, fmt.Sprintf(`Your code for Latchkey on %s is

    %s

Type it into the page that asked for it, within 15 minutes.

If you asked for nothing there, somebody has typed your address by mistake, or
tries to use it. Without the code they cannot. Tell it to nobody.
`, host, code)}
}

// HasAccount is what somebody gets whose address has an account when it is given for
// another one. The page that it was given on shows no difference.
func HasAccount(to account.Address, host string) Mail {
	return Mail{to, "You have a Latchkey account already", fmt.Sprintf(`Somebody has given this address for a Latchkey account on %s.
It has one already.

If that was you, sign in there; on the sign-in page you can use your passkey,
your passphrase or your recovery code.

If it was not you, there is nothing to do: your account has not changed.
`, host)}
}

// Moving is the notice to the address that an account has had so far.
func Moving(to account.Address, host string) Mail {
	return Mail{to, "Your Latchkey account gets another address", fmt.Sprintf(`Somebody who is signed in to your Latchkey account on %s
has asked to sign in with another address than this one from now on.

If that was you, there is nothing to do here.

If it was not you, sign in now, look under "Devices and sessions" and end those
that you do not know, and set a new passphrase.
`, host)}
}

// Deleted is the last notice to the address of an account.
func Deleted(to account.Address, host string) Mail {
	return Mail{to, "Your Latchkey account was deleted", fmt.Sprintf(`Somebody who is signed in to your Latchkey account on %s
has deleted it. Your address and your locked keys are not there any more.

If that was you, there is nothing to do here.

If it was not you, somebody has used a browser of yours. One in which your homes
were open opens them still: make new keys there, under "You", at "A device is lost
or stolen", and then another account.
`, host)}
}
