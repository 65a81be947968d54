package account

import "strings"

// MaxAddress is how long an address may be, by RFC 5321.
const MaxAddress = 254

// Address is an address for mail, and the name to sign in with. It is in lower case, so
// that two spellings which people take for one are one.
type Address string

// inLocal are the characters of the part before the @ beside letters and digits: those
// of an address that needs no quotes (RFC 5321, Dot-string). There is no space, line
// break or bracket among them, so an address can do nothing in a mail's header.
const inLocal = "!#$%&'*+-/=?^_`{|}~."

// ParseAddress reads an address that somebody typed.
func ParseAddress(s string) (Address, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, _ := strings.Cut(s, "@")
	if len(s) > MaxAddress || len(local) > 64 || !dotted(local, inLocal) || !dotted(domain, "-") {
		return "", Refuse(BadAddress, "%d characters that are no address", len(s))
	}
	return Address(s), nil
}

// dotted says whether s is words of letters, digits and some others, joined by dots.
func dotted(s, others string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || len(word) > 64 {
			return false
		}
		for _, c := range word {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune(others, c)) {
				return false
			}
		}
	}
	return true
}
