package latchkey

// The text forms of the identifiers. They are the same many times over, once for
// each type, because a generic identifier would be one that can be mixed up.

// String returns a home's ID in base32.
func (id HomeID) String() string { return spell(id[:]) }

// MarshalText is [HomeID.String] for encoders.
func (id HomeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseHomeID] for decoders.
func (id *HomeID) UnmarshalText(text []byte) error { return parse(id[:], "a home's ID", string(text)) }

// ParseHomeID is the inverse of [HomeID.String]; it takes no other spelling.
func ParseHomeID(s string) (id HomeID, err error) {
	err = parse(id[:], "a home's ID", s)
	return id, err
}

// String returns a camera's ID in base32.
func (id CameraID) String() string { return spell(id[:]) }

// MarshalText is [CameraID.String] for encoders.
func (id CameraID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseCameraID] for decoders.
func (id *CameraID) UnmarshalText(text []byte) error {
	return parse(id[:], "a camera's ID", string(text))
}

// ParseCameraID is the inverse of [CameraID.String]; it takes no other spelling.
func ParseCameraID(s string) (id CameraID, err error) {
	err = parse(id[:], "a camera's ID", s)
	return id, err
}

// String returns an agent's ID in base32.
func (id AgentID) String() string { return spell(id[:]) }

// MarshalText is [AgentID.String] for encoders.
func (id AgentID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseAgentID] for decoders.
func (id *AgentID) UnmarshalText(text []byte) error {
	return parse(id[:], "an agent's ID", string(text))
}

// ParseAgentID is the inverse of [AgentID.String]; it takes no other spelling.
func ParseAgentID(s string) (id AgentID, err error) {
	err = parse(id[:], "an agent's ID", s)
	return id, err
}

// String returns an event's ID in base32.
func (id EventID) String() string { return spell(id[:]) }

// MarshalText is [EventID.String] for encoders.
func (id EventID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseEventID] for decoders.
func (id *EventID) UnmarshalText(text []byte) error {
	return parse(id[:], "an event's ID", string(text))
}

// ParseEventID is the inverse of [EventID.String]; it takes no other spelling.
func ParseEventID(s string) (id EventID, err error) {
	err = parse(id[:], "an event's ID", s)
	return id, err
}

// String returns an object's ID in base32.
func (id ObjectID) String() string { return spell(id[:]) }

// MarshalText is [ObjectID.String] for encoders.
func (id ObjectID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseObjectID] for decoders.
func (id *ObjectID) UnmarshalText(text []byte) error {
	return parse(id[:], "an object's ID", string(text))
}

// ParseObjectID is the inverse of [ObjectID.String]; it takes no other spelling.
func ParseObjectID(s string) (id ObjectID, err error) {
	err = parse(id[:], "an object's ID", s)
	return id, err
}

// String returns a person's ID in base32.
func (id PersonID) String() string { return spell(id[:]) }

// MarshalText is [PersonID.String] for encoders.
func (id PersonID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParsePersonID] for decoders.
func (id *PersonID) UnmarshalText(text []byte) error {
	return parse(id[:], "a person's ID", string(text))
}

// ParsePersonID is the inverse of [PersonID.String]; it takes no other spelling.
func ParsePersonID(s string) (id PersonID, err error) {
	err = parse(id[:], "a person's ID", s)
	return id, err
}

// String returns a device's ID in base32.
func (id DeviceID) String() string { return spell(id[:]) }

// MarshalText is [DeviceID.String] for encoders.
func (id DeviceID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseDeviceID] for decoders.
func (id *DeviceID) UnmarshalText(text []byte) error {
	return parse(id[:], "a device's ID", string(text))
}

// ParseDeviceID is the inverse of [DeviceID.String]; it takes no other spelling.
func ParseDeviceID(s string) (id DeviceID, err error) {
	err = parse(id[:], "a device's ID", s)
	return id, err
}

// String returns an account's ID in base32.
func (id AccountID) String() string { return spell(id[:]) }

// MarshalText is [AccountID.String] for encoders.
func (id AccountID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseAccountID] for decoders.
func (id *AccountID) UnmarshalText(text []byte) error {
	return parse(id[:], "an account's ID", string(text))
}

// ParseAccountID is the inverse of [AccountID.String]; it takes no other spelling.
func ParseAccountID(s string) (id AccountID, err error) {
	err = parse(id[:], "an account's ID", s)
	return id, err
}

// String returns an unlocker's ID in base32.
func (id UnlockerID) String() string { return spell(id[:]) }

// MarshalText is [UnlockerID.String] for encoders.
func (id UnlockerID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseUnlockerID] for decoders.
func (id *UnlockerID) UnmarshalText(text []byte) error {
	return parse(id[:], "an unlocker's ID", string(text))
}

// ParseUnlockerID is the inverse of [UnlockerID.String]; it takes no other spelling.
func ParseUnlockerID(s string) (id UnlockerID, err error) {
	err = parse(id[:], "an unlocker's ID", s)
	return id, err
}

// String returns a session's ID in base32.
func (id SessionID) String() string { return spell(id[:]) }

// MarshalText is [SessionID.String] for encoders.
func (id SessionID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseSessionID] for decoders.
func (id *SessionID) UnmarshalText(text []byte) error {
	return parse(id[:], "a session's ID", string(text))
}

// ParseSessionID is the inverse of [SessionID.String]; it takes no other spelling.
func ParseSessionID(s string) (id SessionID, err error) {
	err = parse(id[:], "a session's ID", s)
	return id, err
}

// String returns a server's ID in base32.
func (id ServerID) String() string { return spell(id[:]) }

// MarshalText is [ServerID.String] for encoders.
func (id ServerID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseServerID] for decoders.
func (id *ServerID) UnmarshalText(text []byte) error {
	return parse(id[:], "a server's ID", string(text))
}

// ParseServerID is the inverse of [ServerID.String]; it takes no other spelling.
func ParseServerID(s string) (id ServerID, err error) {
	err = parse(id[:], "a server's ID", s)
	return id, err
}

// String returns an invitation's ID in base32.
func (id InviteID) String() string { return spell(id[:]) }

// MarshalText is [InviteID.String] for encoders.
func (id InviteID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseInviteID] for decoders.
func (id *InviteID) UnmarshalText(text []byte) error {
	return parse(id[:], "an invitation's ID", string(text))
}

// ParseInviteID is the inverse of [InviteID.String]; it takes no other spelling.
func ParseInviteID(s string) (id InviteID, err error) {
	err = parse(id[:], "an invitation's ID", s)
	return id, err
}

// String returns a letter's ID in base32.
func (id LetterID) String() string { return spell(id[:]) }

// MarshalText is [LetterID.String] for encoders.
func (id LetterID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseLetterID] for decoders.
func (id *LetterID) UnmarshalText(text []byte) error {
	return parse(id[:], "a letter's ID", string(text))
}

// ParseLetterID is the inverse of [LetterID.String]; it takes no other spelling.
func ParseLetterID(s string) (id LetterID, err error) {
	err = parse(id[:], "a letter's ID", s)
	return id, err
}

// String returns a boot's ID in base32.
func (id BootID) String() string { return spell(id[:]) }

// MarshalText is [BootID.String] for encoders.
func (id BootID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseBootID] for decoders.
func (id *BootID) UnmarshalText(text []byte) error { return parse(id[:], "a boot's ID", string(text)) }

// ParseBootID is the inverse of [BootID.String]; it takes no other spelling.
func ParseBootID(s string) (id BootID, err error) {
	err = parse(id[:], "a boot's ID", s)
	return id, err
}

// String returns a run's ID in base32.
func (id RunID) String() string { return base32Lower.EncodeToString(id[:]) }

// MarshalText is [RunID.String] for encoders.
func (id RunID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseRunID] for decoders.
func (id *RunID) UnmarshalText(text []byte) error { return parse(id[:], "a run's ID", string(text)) }

// ParseRunID is the inverse of [RunID.String]; it takes no other spelling.
func ParseRunID(s string) (id RunID, err error) {
	err = parse(id[:], "a run's ID", s)
	return id, err
}

// String returns a key's ID in base32.
func (id KeyID) String() string { return spell(id[:]) }

// MarshalText is [KeyID.String] for encoders.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is [ParseKeyID] for decoders.
func (id *KeyID) UnmarshalText(text []byte) error { return parse(id[:], "a key's ID", string(text)) }

// ParseKeyID is the inverse of [KeyID.String]; it takes no other spelling.
func ParseKeyID(s string) (id KeyID, err error) {
	err = parse(id[:], "a key's ID", s)
	return id, err
}
