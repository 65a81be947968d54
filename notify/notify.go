// Package notify sends people word by mail. What is in a mail is in texts.go alone, and
// no mail holds the name of a home, a camera or a person: mail is read on the way.
package notify

import (
	"context"
	"fmt"

	"github.com/latchkey-cam/latchkey/account"
)

// Mailer sends mail. It may be used by several goroutines.
type Mailer interface {
	// Send hands a mail to whoever carries it on. That it did so does not say that the
	// mail arrives.
	Send(ctx context.Context, m Mail) error
}

// Mail is a mail to one person.
type Mail struct {
	To      account.Address
	Subject string
	Text    string // plain, lines end in \n
}

// Password hides itself, so that no log or error shows it.
type Password string

// Format hides the password from every verb.
func (Password) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(password)") }
