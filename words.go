package latchkey

import (
	_ "embed"
	"strings"
)

// wordList is the 256 words that two people compare; no two begin with the same four
// letters. The app reads the same file.
//
//go:embed words.txt
var wordList string

// FingerprintWords is how many words a home's ID or a head is compared by: 80 bits, which
// nobody finds another home for.
const FingerprintWords = 10

// Words spells bytes in words, one for each byte, so that two people can compare them
// aloud (docs/words.md, "Words to compare").
func Words(b []byte) []string {
	list := strings.Fields(wordList)
	words := make([]string, len(b))
	for i, v := range b {
		words[i] = list[v]
	}
	return words
}
