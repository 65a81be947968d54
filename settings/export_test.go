package settings

// ParseContent reads what a document says, for fuzzing.
var ParseContent = parseContent

// Encode writes it.
func (c Content) Encode() ([]byte, error) { return c.encode() }
