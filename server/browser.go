package server

import "strings"

// What browsers call themselves. The order counts, as most of them claim to be others
// as well.
var (
	browsers = []struct{ mark, word string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"Chromium/", "Chromium"}, {"HeadlessChrome/", "Chromium"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = []struct{ mark, word string }{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Macintosh", "macOS"},
		{"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// browser tells in a few words which browser a session is in, so that a person knows it
// again in a list. All the words are ours: nothing of what was sent is kept.
func browser(userAgent string) string {
	program, system := "", ""
	for _, b := range browsers {
		if strings.Contains(userAgent, b.mark) {
			program = b.word
			break
		}
	}
	for _, s := range systems {
		if strings.Contains(userAgent, s.mark) {
			system = s.word
			break
		}
	}
	if program == "" || system == "" {
		return program + system
	}
	return program + " on " + system
}
