package onviftest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// events are the subscriptions to a device. It tells them apart by what stands in a
// question's header, as devices do whose subscriptions have one path.
type events struct {
	made    int
	waiting map[int][]string // messages by subscription
	ends    map[int]time.Time
	told    chan struct{} // closed and made anew when there is something to pull
}

// longest is how long a question for what has happened waits, whatever it says.
const longest = 5 * time.Second

var (
	subscription = regexp.MustCompile(`<ID xmlns="urn:sim">(\d+)</ID>`)
	pullTimeout  = regexp.MustCompile(`<Timeout>PT([\d.]+)S</Timeout>`)
	termination  = regexp.MustCompile(`TerminationTime>PT([\d.]+)S</`)
)

// Tell has the device say something to all who are subscribed.
func (s *Server) Tell(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.events.waiting {
		s.events.waiting[n] = append(s.events.waiting[n], message)
	}
	if s.events.told != nil {
		close(s.events.told)
		s.events.told = nil
	}
}

// Forget has the device forget its subscriptions.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events.waiting = nil
}

// Subscribers returns how many subscriptions the device keeps.
func (s *Server) Subscribers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id := range s.events.waiting {
		if time.Now().Before(s.events.ends[id]) {
			n++
		}
	}
	return n
}

// Notification is a message of a topic with one item of what it is about and one of what
// is so.
func Notification(topic, operation, source, name, value string) string {
	return fmt.Sprintf(`<wsnt:NotificationMessage><wsnt:Topic Dialect="urn:d">%s</wsnt:Topic><wsnt:Message><tt:Message UtcTime="1970-01-01T00:00:00Z" PropertyOperation="%s"><tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="%s"/></tt:Source><tt:Data><tt:SimpleItem Name="%s" Value="%s"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`,
		topic, operation, source, name, value)
}

// subscribed answers what is about subscriptions, and reports whether that was it.
func (s *Server) subscribed(w http.ResponseWriter, r *http.Request, asked, body string) bool {
	if asked == "CreatePullPointSubscription" && r.URL.Path == "/onvif/Events" {
		io.WriteString(w, s.subscribe(body))
		return true
	}
	m := subscription.FindStringSubmatch(body)
	if m == nil || r.URL.Path != "/onvif/pull" {
		return false
	}
	id, err := strconv.Atoi(m[1])
	if err != nil {
		return false
	}
	s.mu.Lock()
	_, known := s.events.waiting[id]
	known = known && time.Now().Before(s.events.ends[id])
	switch {
	case !known:
	case asked == "Renew":
		s.events.ends[id] = time.Now().Add(seconds(termination, body))
	case asked == "Unsubscribe":
		delete(s.events.waiting, id)
	}
	s.mu.Unlock()
	switch {
	case !known:
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, Fault("ResourceUnknown"))
	case asked == "PullMessages":
		io.WriteString(w, s.pull(r, id, seconds(pullTimeout, body)))
	default:
		io.WriteString(w, Envelope(`<wsnt:`+asked+`Response/>`))
	}
	return true
}

func (s *Server) subscribe(body string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events.made++
	id := s.events.made
	if s.events.waiting == nil {
		s.events.waiting, s.events.ends = map[int][]string{}, map[int]time.Time{}
	}
	s.events.waiting[id], s.events.ends[id] = nil, time.Now().Add(seconds(termination, body))
	return Envelope(fmt.Sprintf(`<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>http://10.99.99.99/onvif/pull</wsa:Address><wsa:ReferenceParameters><s:ID xmlns:s="urn:sim">%d</s:ID></wsa:ReferenceParameters></tev:SubscriptionReference></tev:CreatePullPointSubscriptionResponse>`, id))
}

// pull waits for messages of a subscription.
func (s *Server) pull(r *http.Request, id int, wait time.Duration) string {
	late := time.After(min(wait, longest))
	for {
		s.mu.Lock()
		all := s.events.waiting[id]
		if len(all) > 0 {
			s.events.waiting[id] = nil
		}
		if s.events.told == nil {
			s.events.told = make(chan struct{})
		}
		told := s.events.told
		s.mu.Unlock()
		if len(all) > 0 {
			return Envelope(`<tev:PullMessagesResponse>` + strings.Join(all, "") + `</tev:PullMessagesResponse>`)
		}
		select {
		case <-told:
		case <-late:
			return Envelope(`<tev:PullMessagesResponse/>`)
		case <-r.Context().Done():
			return ""
		}
	}
}

// seconds reads a length of time, 0 if there is none.
func seconds(pattern *regexp.Regexp, body string) time.Duration {
	m := pattern.FindStringSubmatch(body)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(m[1], 64) // digits by the pattern
	return time.Duration(n * float64(time.Second))
}
