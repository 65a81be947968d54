package camera

// NewError returns an error that stands for a state. A [Source].Admit returns one to say
// that a session is not begun for that reason, where it is not that another device is at
// the address. The text is for logs and holds no user and no password.
func NewError(state State, text string) *Error { return &Error{State: state, text: text} }
