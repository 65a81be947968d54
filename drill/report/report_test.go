package report_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/latchkey-cam/latchkey/drill/crossed"
	"github.com/latchkey-cam/latchkey/drill/fault"
	"github.com/latchkey-cam/latchkey/drill/outage"
	"github.com/latchkey-cam/latchkey/drill/report"
)

// result is a drill that leaked in three arms of four.
func result() crossed.Result {
	r := crossed.Result{
		Homes: 13_000, Reads: 100_000_000, ReadsWire: 46_812, Faults: 4_211, Seed: 7, Cache: "embedded", Seconds: 214.2, Flood: crossed.Flood{Reads: 99_953_188, Faults: 10_012}, Verdict: "pass",
		Arms: []crossed.Arm{
			{Name: crossed.Arm2024, Control: true, Says: "A server whose cache remembers whose a device is, and its thumbnails."},
			{Name: crossed.ArmStamp, Control: true, Says: "The same; each picture carries the stamp of an account, which is compared before it is shown."},
			{Name: crossed.ArmClients, Control: true, Says: "The cache's client libraries alone."},
			{Name: crossed.ArmOurs, Says: "Sealed pictures, signed deeds, bound values; each reader compares."},
		},
	}
	for i := range r.Arms {
		a := &r.Arms[i]
		for n, f := range fault.Catalogue {
			s := crossed.Scene{Fault: f.ID, Name: f.Name, Says: f.Does, Figures: crossed.Figures{Injected: int64(10 + n)}}
			if a.Control && n%(i+2) == 0 {
				s.ShownForeign, s.Crashes = int64(1+n*n*n*(3-i)), int64(n%2)
			}
			a.ShownForeign += s.ShownForeign
			a.Scenes = append(a.Scenes, s)
		}
		a.Shown, a.Refused, a.Misses, a.OriginReads = 46_000, 12, 20_123, 20_400
		a.PeopleAffected, a.Tapped = int(a.ShownForeign/3), a.ShownForeign/9
		if !a.Control {
			noticed, healed := 0.8, 1203.
			a.NoticedMS, a.HealedMS = &noticed, &healed
		}
		for n := range int64(90) {
			m := crossed.Moment{MS: n * crossed.MomentMS, Shown: 500}
			if a.Control {
				m.ShownForeign = a.ShownForeign * (90 - n) * (90 - n) / 240_000
			}
			a.OverTime = append(a.OverTime, m)
		}
	}
	return r
}

func write(t *testing.T, r crossed.Result) string {
	t.Helper()
	var b bytes.Buffer
	run := report.Run{Command: "latchkey drill crossed-wires --seed 7 --report report.html", Made: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	if err := report.HTML(&b, r, run); err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("LATCHKEY_REPORT"); file != "" { // to look at
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// texts parses a page strictly enough to find what was not closed, and returns its words
// and the names and values of its elements and attributes.
func texts(t *testing.T, page string) (words string, elements map[string]int, attributes map[string][]string) {
	t.Helper()
	elements, attributes = map[string]int{}, map[string][]string{}
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) != 0 {
				t.Errorf("not closed: %q", open)
			}
			return words, elements, attributes
		case html.TextToken:
			words += string(z.Text()) + " "
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			elements[token.Data]++
			for _, a := range token.Attr {
				attributes[a.Key] = append(attributes[a.Key], a.Val)
			}
			if token.Type == html.StartTagToken && token.Data != "meta" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("%q is closed in %q", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func TestPage(t *testing.T) {
	r := result()
	page := write(t, r)
	words, elements, attributes := texts(t, page)
	for _, want := range []string{
		"Nobody was shown a stranger’s home.", "13,000", "A cloud of 2024", "never", "0.8 ms", "1.2 s", "less than one in 15,000", "99,953,188 values were read", "seed 7", "latchkey drill crossed-wires --seed 7",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, f := range fault.Catalogue {
		if !strings.Contains(html.UnescapeString(words), f.Does) {
			t.Errorf("it does not say of %s: %s", f.ID, f.Does)
		}
	}
	if elements["figure"] != 4 || elements["script"]+elements["img"]+elements["link"]+elements["iframe"]+elements["a"] != 0 {
		t.Errorf("its elements are %v", elements)
	}
	for _, name := range []string{"src", "href", "srcset", "action", "data", "onload", "onclick"} {
		if len(attributes[name]) != 0 {
			t.Errorf("it reaches out by %s: %q", name, attributes[name])
		}
	}
	if out := regexp.MustCompile(`(?i)https?:|@import|url\([^#]`).FindAllString(page, -1); len(out) != 0 {
		t.Errorf("it reaches out: %q", out)
	}
	if bars := len(regexp.MustCompile(`<rect class="foreign" x=`).FindAllString(page, -1)); bars < 100 {
		t.Errorf("%d bars are drawn over time", bars)
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") || strings.Contains(page, "ZgotmplZ") {
		t.Error("something could not be written")
	}
}

// TestFailed has Latchkey leak.
func TestFailed(t *testing.T) {
	r := result()
	r.Verdict, r.Reasons = "fail", []string{"Latchkey showed 1 strangers' pictures to 1 people."}
	r.Arms[3].ShownForeign, r.Arms[3].PeopleAffected = 1, 1
	words, _, _ := texts(t, write(t, r))
	for _, want := range []string{"Strangers’ pictures were shown.", "Latchkey showed 1", "There is no bound to give"} {
		if !strings.Contains(words, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(words, "Nobody was shown") {
		t.Error("it says that nobody was")
	}
}

// TestEmpty has a drill that ended before it began.
func TestEmpty(t *testing.T) {
	words, _, _ := texts(t, write(t, crossed.Result{Arms: []crossed.Arm{{Name: "alone"}}}))
	if !strings.Contains(words, "The drill failed.") {
		t.Error("it does not say that it failed")
	}
}

// TestHostileNames has the names and sentences try to be more than text.
func TestHostileNames(t *testing.T) {
	r := result()
	hostile := `"><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}`
	r.Cache, r.Verdict, r.Reasons = hostile, "fail", []string{hostile}
	for i := range r.Arms {
		r.Arms[i].Name, r.Arms[i].Says = fmt.Sprint(hostile, i), hostile
		for n := range r.Arms[i].Scenes {
			s := &r.Arms[i].Scenes[n]
			s.Fault, s.Name, s.Says = hostile, hostile, fmt.Sprint(hostile, n)
		}
	}
	words, elements, attributes := texts(t, write(t, r))
	if elements["script"] != 0 || elements["img"] != 0 || len(attributes["onerror"]) != 0 || len(attributes["src"]) != 0 {
		t.Errorf("a name became %v", elements)
	}
	if n := strings.Count(html.UnescapeString(words), hostile); n < 40 {
		t.Errorf("it is told %d times", n)
	}
}

// outageResult is a drill in which two arms of three had trouble.
func outageResult() outage.Result {
	at := func(s float64) *float64 { return &s }
	curve := func(seconds float64, n int) (c []outage.Point) {
		for i := range 40 {
			c = append(c, outage.Point{Seconds: seconds * float64(i) / 39, Back: n * i / 39})
		}
		return c
	}
	r := outage.Result{Agents: 5000, OutageS: 10, Capacity: 480, OverloadS: 10.4, Seconds: 182, Verdict: "pass", Arms: []outage.Arm{
		{Name: outage.ArmFixed, Back: 4100, T50: at(14), Attempts: 9.2, Foreground: outage.Quantile{Before: 21, During: 2900, After: 25}, Failed: outage.Quantile{During: 14}, Curve: curve(62, 4100)},
		{Name: outage.ArmExponential, Back: 5000, T50: at(9), T95: at(31), T99: at(44), T100: at(58), Efficiency: 0.32, Attempts: 3.4, Foreground: outage.Quantile{Before: 22, During: 900, After: 24}, Curve: curve(58, 5000)},
		{Name: outage.ArmOurs, Back: 5000, T50: at(5.8), T95: at(11.2), T99: at(11.9), T100: at(12.3), Efficiency: 0.88, Attempts: 1.4, Handshakes: 6900, Foreground: outage.Quantile{Before: 21, During: 38, After: 22}, Curve: curve(12.3, 5000)},
	}}
	r.Arm = r.Arms[2]
	return r
}

// TestOutage: the page says what came of a drill of an outage, and is as whole as the other.
func TestOutage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *outage.Result)
		want   []string
	}{
		"it passes": {func(*outage.Result) {}, []string{"All 5,000 homes were back in 12.3 s.", "95 of 100 back in less than 9.9 s", "Latchkey took 11.2 s", "0.88", "4,100", "never"}},
		"it fails": {func(r *outage.Result) {
			r.Verdict, r.Says, r.Arm.Lost = "fail", []string{"3 events are lost"}, 3
		}, []string{"The drill failed.", "3 events are lost"}},
		"nobody came back": {func(r *outage.Result) { r.Verdict, r.Arms, r.Arm = "fail", nil, outage.Arm{} }, []string{"The drill failed.", "It has no verdict."}},
	} {
		t.Run(name, func(t *testing.T) {
			r := outageResult()
			c.change(&r)
			var b bytes.Buffer
			run := report.Run{Command: "latchkey drill outage --agents 5000 --outage 10s --report report.html", Made: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			if err := report.Outage(&b, r, run); err != nil {
				t.Fatal(err)
			}
			words, elements, attributes := texts(t, b.String())
			for _, want := range c.want {
				if !strings.Contains(words, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			if elements["script"] > 0 || len(attributes["src"])+len(attributes["href"]) > 0 {
				t.Error("the page runs or reaches for something")
			}
			if n := len(r.Arms); elements["polyline"] != n+1 {
				t.Errorf("%d lines are drawn of %d arms and what is possible", elements["polyline"], n)
			}
			if file := os.Getenv("LATCHKEY_REPORT"); file != "" && name == "it passes" { // to look at
				if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
