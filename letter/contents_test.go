package letter_test

import (
	"encoding/base64"
	"strings"

	"github.com/latchkey-cam/latchkey/sealed"
)

// contents are letters of which only the content is special.
func contents() []drawing {
	jpeg := base64.StdEncoding.EncodeToString([]byte{0xff, 0xd8, 0xff, 0xe0})
	source := `"name":"Door","main":"rtsp://192.0.2.7/1","sub":"","user":"u","password":"p",` + pin
	motion := `"zones":[{"name":"Gate","points":[[0,0],[10000,0],[10000,10000]]}],"masks":[{"points":[[1,2],[3,4],[5,6]]}]`
	withCamera := with(condition, `"cameras":[]`, `"cameras":[`+cameraCondition+`]`)
	all := []drawing{
		asks("probe", "opened", `"do":"probe","address":"192.0.2.7","user":"","password":""`),
		asks("probe-odd-password", "opened", `"do":"probe","address":"cam","user":"é","password":"pä ß 🐟"`),
		asks("probe-no-address", "content", `"do":"probe","address":"","user":"","password":""`),
		asks("probe-no-user", "content", `"do":"probe","address":"cam","password":""`),
		asks("add-camera", "opened", `"do":"add-camera",`+source),
		asks("add-camera-unnamed", "content", `"do":"add-camera",`+with(source, `"Door"`, `""`)),
		asks("add-camera-long-name", "content", `"do":"add-camera",`+with(source, `Door`, strings.Repeat("x", 65))),
		asks("add-camera-no-pin", "content", `"do":"add-camera",`+with(source, pin, `"pin":null`)),
		asks("add-camera-no-stream", "content", `"do":"add-camera",`+with(source, `rtsp://192.0.2.7/1`, ``)),
		asks("change-camera", "opened", `"do":"change-camera","camera":"CAMERA",`+with(source, `"password":"p"`, `"password":""`)),
		asks("describe-camera", "opened", `"do":"describe-camera","camera":"CAMERA"`),
		asks("describe-no-camera", "content", `"do":"describe-camera","camera":"front"`),
		asks("forget-camera", "opened", `"do":"forget-camera","camera":"CAMERA"`),
		asks("accept-device", "opened", `"do":"accept-device","camera":"CAMERA"`),
		asks("still", "opened", `"do":"still","camera":"CAMERA"`),
		asks("would-fire", "opened", `"do":"would-fire","camera":"CAMERA","sensitivity":"high",`+motion),
		asks("would-fire-plain", "opened", `"do":"would-fire","camera":"CAMERA"`),
		asks("would-fire-two-points", "content", `"do":"would-fire","camera":"CAMERA","masks":[{"points":[[1,2],[3,4]]}]`),
		asks("do-nothing", "content", `"do":"reboot"`),
		asks("do-missing", "content", `"camera":"CAMERA"`),
		asks("do-in-capitals", "content", `"do":"Discover"`),
		{name: "command-2", says: "content of a later version", expect: "content", make: func(m maker) writing {
			return writing{kind: sealed.CommandLetter, plain: with(m.command(`"do":"discover"`), `"v":1`, `"v":2`)}
		}},
		{name: "reply-key-short", says: "a public key without its last byte", expect: "content", make: func(m maker) writing {
			key := base64.StdEncoding.EncodeToString(m.asker.Public().Bytes[:1215])
			return writing{kind: sealed.CommandLetter, plain: `{"v":1,"do":"discover","reply":"` + key + `"}`}
		}},

		says("progress", "opened", "probe", `{"v":1,"progress":{"says":"Looking","done":1,"of":4}}`),
		says("progress-still", "opened", "probe", `{"v":1,"progress":{"says":"Looking","done":1,"of":4,"still":"`+jpeg+`"}}`),
		says("progress-negative", "content", "probe", `{"v":1,"progress":{"says":"Looking","done":-1,"of":4}}`),
		says("failed", "opened", "still", `{"v":1,"error":{"reason":"off","message":"The camera is off."}}`),
		says("failed-turned", "content", "still", `{"v":1,"error":{"reason":"off","message":"\u202effo"}}`),
		says("found", "opened", "probe", found),
		says("found-nothing", "content", "probe", `{"v":1}`),
		says("found-role", "content", "probe", with(found, `"role":"main"`, `"role":"third"`)),
		says("found-severity", "content", "probe", with(found, `"good"`, `"fine"`)),
		says("found-half-pixel", "content", "probe", with(found, `"width":1920`, `"width":1920.5`)),
		says("found-whole-fraction", "opened", "probe", with(found, `"width":1920`, `"width":1.92e3`)),
		says("found-html", "content", "probe", with(found, "/9j/4A==", base64.StdEncoding.EncodeToString([]byte("<html>")))),
		says("found-base64", "content", "probe", with(found, "/9j/4A==", "/9j/4A")),
		says("found-clock", "content", "probe", with(found, `"known":true`, `"known":1`)),
		says("found-33-streams", "content", "probe", with(found, foundStream, strings.Repeat(foundStream+",", 32)+foundStream)),
		says("devices", "opened", "discover", `{"v":1,"devices":[{"host":"192.0.2.7","name":"Door","hardware":"A1","address":""}]}`),
		says("devices-null", "content", "discover", `{"v":1,"devices":null}`),
		says("added", "opened", "add-camera", `{"v":1,"camera":"CAMERA"}`),
		says("described", "opened", "describe-camera", `{"v":1,"name":"Door","main":"rtsp://a","sub":"","user":"","later":1,`+pin+`}`),
		says("done", "opened", "forget-camera", `{"v":1}`),
		says("picture", "opened", "still", `{"v":1,"jpeg":"`+jpeg+`","width":4,"height":3,"time":5}`),
		says("picture-empty", "content", "still", `{"v":1,"jpeg":"","width":4,"height":3,"time":5}`),
		says("picture-flat", "content", "still", `{"v":1,"jpeg":"`+jpeg+`","width":4,"height":0,"time":5}`),
		says("would-have-fired", "opened", "would-fire", `{"v":1,"times":3,"since":5}`),

		asks("timeline", "opened", `"do":"timeline","cameras":["CAMERA"],"track":"main","from":5,"until":9`),
		asks("timeline-of-four-days", "content", `"do":"timeline","cameras":["CAMERA"],"track":"main","from":0,"until":345600000000`),
		asks("timeline-of-stills", "content", `"do":"timeline","cameras":["CAMERA"],"track":"still","from":5,"until":9`),
		asks("timeline-of-a-name", "content", `"do":"timeline","cameras":["front"],"track":"main","from":5,"until":9`),
		asks("stills", "opened", `"do":"stills","camera":"CAMERA","from":5,"until":9,"most":200`),
		asks("stills-backwards", "content", `"do":"stills","camera":"CAMERA","from":9,"until":9,"most":200`),
		asks("stills-too-many", "content", `"do":"stills","camera":"CAMERA","from":5,"until":9,"most":201`),
		asks("footage", "opened", `"do":"footage","camera":"CAMERA","track":"sub","from":5,"until":9,"group":0,"offset":0,"most":917504`),
		asks("footage-too-much", "content", `"do":"footage","camera":"CAMERA","track":"sub","from":5,"until":9,"group":0,"offset":0,"most":917505`),
		asks("save", "opened", `"do":"save","camera":"CAMERA","from":5,"until":9`),
		asks("unsave", "opened", `"do":"unsave","camera":"CAMERA","from":5,"until":9`),
		asks("delete-footage", "opened", `"do":"delete-footage","camera":"CAMERA","from":5,"until":9`),

		says("timelines", "opened", "timeline", `{"v":1,"timelines":[{"camera":"CAMERA","pictures":[{"from":5,"until":7}],"holes":[{"from":7,"until":9,"reason":"off","says":"It was off.","loss":false}],"motion":"AP8=","saved":[]}]}`),
		says("timelines-backwards", "content", "timeline", `{"v":1,"timelines":[{"camera":"CAMERA","pictures":[{"from":7,"until":5}],"holes":[],"motion":"","saved":[]}]}`),
		says("timelines-with-bytes", "content", "timeline", `{"v":1,"timelines":[]}`+"\x00"),
		says("strip", "opened", "stills", `{"v":1,"stills":[{"time":5,"bytes":4},{"time":6,"bytes":5}],"until":9}`+"\x00\xff\xd8\xff\xe0\xff\xd8\xff\xe1\x00"),
		says("strip-empty", "opened", "stills", `{"v":1,"stills":[],"until":9}`+"\x00"),
		says("strip-without-bytes", "content", "stills", `{"v":1,"stills":[],"until":9}`),
		says("strip-short", "content", "stills", `{"v":1,"stills":[{"time":5,"bytes":5}],"until":9}`+"\x00\xff\xd8\xff\xe0"),
		says("strip-long", "content", "stills", `{"v":1,"stills":[{"time":5,"bytes":4}],"until":9}`+"\x00\xff\xd8\xff\xe0\x01"),
		says("strip-html", "content", "stills", `{"v":1,"stills":[{"time":5,"bytes":4}],"until":9}`+"\x00<br>"),
		says("strip-huge", "content", "stills", `{"v":1,"stills":[{"time":5,"bytes":500000},{"time":6,"bytes":500000}],"until":9}`+"\x00"),
		says("pieces", "opened", "footage", pieces),
		says("pieces-beyond", "content", "footage", with(pieces, `"of":3`, `"of":2`)),
		says("pieces-empty", "content", "footage", with(with(pieces, `"bytes":3`, `"bytes":0`), "\x00abc", "\x00")),
		says("pieces-damaged", "opened", "footage", with(with(with(pieces, `"bytes":3`, `"bytes":0`), "\x00abc", "\x00"), `"damaged":false`, `"damaged":true`)),
		says("pieces-motion", "content", "footage", with(pieces, `"motion":9`, `"motion":256`)),
		says("pieces-failed", "opened", "footage", `{"v":1,"error":{"reason":"frozen","message":"The home is frozen."}}`),
		says("pieces-failed-with-bytes", "content", "footage", `{"v":1,"error":{"reason":"frozen","message":"The home is frozen."}}`+"\x00"),
		says("done-with-bytes", "content", "save", `{"v":1}`+"\x00"),

		tells("condition-camera", "opened", withCamera),
		tells("condition-footage", "opened", with(condition, `"disk":`, `"footage":{"bytes":5,"limit":0,"state":"read-only","says":"It can only be read."},"disk":`)),
		tells("condition-footage-lost", "opened", with(condition, `"disk":`, `"footage":{"bytes":5,"limit":7,"state":"ok","says":"","lost":1740852000000000},"disk":`)),
		tells("condition-footage-lost-never", "content", with(condition, `"disk":`, `"footage":{"bytes":5,"limit":7,"state":"ok","says":"","lost":-1},"disk":`)),
		tells("condition-footage-null", "content", with(condition, `"disk":`, `"footage":null,"disk":`)),
		tells("condition-footage-stateless", "content", with(condition, `"disk":`, `"footage":{"bytes":5,"limit":0,"state":"","says":""},"disk":`)),
		tells("condition-boot", "opened", with(condition, `"boots":[]`, `"boots":[{"boot":"`+strings.Repeat("a", 26)+`","correction":-5}]`)),
		tells("condition-boot-text", "content", with(condition, `"boots":[]`, `"boots":[{"boot":"yesterday","correction":-5}]`)),
		tells("condition-quality", "content", with(condition, `"synchronised"`, `"good"`)),
		tells("condition-no-disk", "content", with(condition, `,"disk":{"free":1,"says":""}`, ``)),
		tells("condition-stateless", "content", with(withCamera, `"state":"recording"`, `"state":""`)),
		tells("condition-rate", "content", with(withCamera, `14.98`, `1e4`)),
		tells("condition-text", "content", with(withCamera, `"codec":"avc1.64001f"`, `"codec":"a\u0007"`)),
		tells("condition-list", "content", `[`+condition+`]`),
	}
	return all
}

// asks is a command with these members.
func asks(name, expect, members string) drawing {
	return drawing{name: "asks-" + name, says: "a command: " + name, expect: expect, make: func(m maker) writing {
		return writing{kind: sealed.CommandLetter, plain: m.command(m.named(members))}
	}}
}

// says is a reply of that content to that command.
func says(name, expect, do, plain string) drawing {
	return drawing{name: "says-" + name, says: "a reply to " + do + ": " + name, expect: expect, do: do, make: func(m maker) writing {
		return writing{kind: sealed.ReplyLetter, plain: m.named(plain)}
	}}
}

// tells is a condition of that content.
func tells(name, expect, plain string) drawing {
	return drawing{name: "tells-" + name, says: "a condition: " + name, expect: expect, make: func(m maker) writing {
		return writing{kind: sealed.ConditionLetter, plain: m.named(plain)}
	}}
}
