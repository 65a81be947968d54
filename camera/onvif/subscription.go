package onvif

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
)

const (
	eventsNS  = "http://www.onvif.org/ver10/events/wsdl"
	notifyNS  = "http://docs.oasis-open.org/wsn/b-2"
	addressNS = "http://www.w3.org/2005/08/addressing"

	pullAction   = eventsNS + "/PullPointSubscription/PullMessagesRequest"
	createAction = eventsNS + "/EventPortType/CreatePullPointSubscriptionRequest"
	renewAction  = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/RenewRequest"
	endAction    = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/UnsubscribeRequest"

	// pace is how soon after an answer the next one is asked for, and tired how soon
	// if that one was as full as an answer may be: a device that answers without end
	// costs no more than that.
	pace, tired = 500 * time.Millisecond, 5 * time.Second

	maxMessages = 64 // of one answer that are looked at
	maxItems    = 16 // of one message
	maxItem     = 256

	// parting is how long a device may take to be told that we leave.
	parting = time.Second
)

// Subscription is a device's promise to keep what happens until it is asked.
type Subscription struct {
	client *Client
	path   string // where it is asked
	header string // what the device wants to be told again in each question
}

// Subscribe asks the device to keep what happens. Of the address that it names only the
// path is used.
func (c *Client) Subscribe(ctx context.Context) (*Subscription, error) {
	if c.events == "" {
		c.events = c.servicePath(ctx, "Events", "/onvif/event_service")
	}
	answer, err := c.put(ctx, call{c.events, eventsNS, "CreatePullPointSubscription",
		"<InitialTerminationTime>" + spell(c.config.Lasts) + "</InitialTerminationTime>", c.addressed(c.events, createAction)})
	if err != nil {
		return nil, fmt.Errorf("subscribe to device: %w", err)
	}
	s := &Subscription{client: c}
	if reference := answer.find("SubscriptionReference"); reference != nil {
		s.path = pathOf(reference.whole("Address", 2048))
		if p := reference.find("ReferenceParameters"); p != nil {
			for _, e := range p.children[:min(len(p.children), 4)] {
				if len(e.name)+len(e.space) <= 512 && len(e.content) <= maxItem {
					s.header += `<` + e.name + ` xmlns="` + escape(e.space) + `">` + escape(strings.TrimSpace(e.content)) + `</` + e.name + `>`
				}
			}
		}
	}
	if s.path == "" {
		return nil, fmt.Errorf("subscribe to device: %w: it does not say where to ask", ErrMalformed)
	}
	return s, nil
}

// Pull returns what has happened. If nothing has, the device waits for it, half as long
// as it may take to answer. Of a longer answer the first 64 messages are returned.
func (s *Subscription) Pull(ctx context.Context) ([]Message, error) {
	answer, err := s.put(ctx, eventsNS, "PullMessages", pullAction,
		"<Timeout>"+spell(s.client.config.Patience/2)+"</Timeout><MessageLimit>"+strconv.Itoa(maxMessages)+"</MessageLimit>")
	if err != nil {
		return nil, fmt.Errorf("ask device what has happened: %w", err)
	}
	return messagesIn(answer), nil
}

// Renew asks the device to keep its promise from now on for as long as at first.
func (s *Subscription) Renew(ctx context.Context) error {
	_, err := s.put(ctx, notifyNS, "Renew", renewAction, "<TerminationTime>"+spell(s.client.config.Lasts)+"</TerminationTime>")
	if err != nil {
		return fmt.Errorf("renew subscription: %w", err)
	}
	return nil
}

// Unsubscribe tells the device that nobody will ask any more.
func (s *Subscription) Unsubscribe(ctx context.Context) error {
	_, err := s.put(ctx, notifyNS, "Unsubscribe", endAction, "")
	if err != nil {
		return fmt.Errorf("end subscription: %w", err)
	}
	return nil
}

func (s *Subscription) put(ctx context.Context, namespace, operation, action, content string) (*element, error) {
	return s.client.put(ctx, call{s.path, namespace, operation, content, s.client.addressed(s.path, action) + s.header})
}

// addressed is what says in a question's header where it goes and what it wants: devices
// that have several subscriptions at one path tell them apart by it.
func (c *Client) addressed(path, action string) string {
	var id [16]byte
	rand.Read(id[:])
	space := ` xmlns="` + addressNS + `">`
	return `<Action` + space + action + `</Action>` +
		fmt.Sprintf(`<MessageID%surn:uuid:%x-%x-%x-%x-%x</MessageID>`, space, id[:4], id[4:6], id[6:8], id[8:10], id[10:]) +
		`<To` + space + escape(c.base+path) + `</To>`
}

// spell spells a length of time as XML does. How long a subscription lasts is never said
// as a moment: clocks of cameras are wrong.
func spell(d time.Duration) string {
	return "PT" + strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S"
}

// Listen tells what the device says that it sees, at the moment at which it says so:
// what it says of the time is not believed. With sources it is only what is about one of
// them, as a recorder has several cameras. It ends with ctx, or when the device cannot
// be listened to any more; ErrRefused is that it does not take the password, and if it
// had taken it before it is another error.
func (c *Client) Listen(ctx context.Context, sources []string, saw func(latchkey.Sighting)) error {
	s, err := c.Subscribe(ctx)
	if err != nil {
		return err
	}
	defer func() { s.leave(ctx) }()
	for made := time.Now(); ; {
		began := time.Now()
		messages, err := s.Pull(ctx)
		if err != nil {
			return c.later(err)
		}
		var all latchkey.Sighting
		for _, m := range messages {
			if m.about(sources) {
				all |= m.Sighting()
			}
		}
		if all != 0 {
			saw(all)
		}
		pause := pace
		if len(messages) == maxMessages {
			pause = tired
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause - time.Since(began)):
		}
		if time.Since(made) < c.config.Lasts/2 {
			continue
		}
		if s.Renew(ctx) != nil { // not every device can
			s.leave(ctx)
			next, err := c.Subscribe(ctx)
			if err != nil {
				return c.later(err)
			}
			s = next
		}
		made = time.Now()
	}
}

// later is the error of a device that had been listened to: that it takes the password no
// more may be its clock, and is to be found out by asking it for that anew.
func (c *Client) later(err error) error {
	if c.refused && c.proven {
		return fmt.Errorf("it was listened to, and is to be asked anew: %v", err)
	}
	return err
}

// leave ends the subscription, also when ctx has ended. A device that does not hear of it
// forgets it by itself.
func (s *Subscription) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), parting)
	defer cancel()
	s.Unsubscribe(ctx)
}

// Item is a name and value in a message.
type Item struct{ Name, Value string }

// Message is something that happened, as a device tells it.
type Message struct {
	Topic     string
	Operation string // Initialized, Changed or Deleted, or what it is called here; "" if it is no state
	Source    []Item // what it is about
	Data      []Item
}

// messagesIn reads the messages of an answer.
func messagesIn(answer *element) []Message {
	var all []Message
	for _, n := range answer.all("NotificationMessage") {
		if len(all) == maxMessages {
			break
		}
		m := Message{Topic: clean(n.whole("Topic", 512), 512)}
		outer := n.find("Message")
		if outer == nil {
			continue
		}
		inner := outer.find("Message")
		if inner == nil {
			inner = outer
		}
		m.Operation = clean(inner.attribute("PropertyOperation"), 32)
		m.Source, m.Data = inner.items("Source"), inner.items("Data")
		all = append(all, m)
	}
	return all
}

// items returns the simple items in the first element of that name.
func (e *element) items(of string) []Item {
	f := e.find(of)
	if f == nil {
		return nil
	}
	var all []Item
	for _, i := range f.all("SimpleItem") {
		item := Item{clean(i.attribute("Name"), maxItem), clean(i.attribute("Value"), maxItem)}
		if item.Name != "" && len(all) < maxItems {
			all = append(all, item)
		}
	}
	return all
}

// about reports whether a message is about one of those sources; without any it is.
func (m Message) about(sources []string) bool {
	return len(sources) == 0 || slices.ContainsFunc(m.Source, func(i Item) bool {
		switch strings.ToLower(i.Name) {
		case "source", "videosource", "videosourcetoken", "videosourceconfigurationtoken":
			return slices.Contains(sources, i.Value)
		}
		return false
	})
}
