package mutants

import "regexp"

// Rooms are the places where a line stands between a person and a stranger's home.
var Rooms = []Room{
	{ // what an object is, and whether it is what was asked for
		Files: []string{"sealed/sealed.go", "sealed/envelope.go", "sealed/parcel.go", "sealed/verify.go", "sealed/file.go", "sealed/letter.go", "sealed/settings.go"},
		Tests: []string{"sealed", "open", "settings", "letter"},
	},
	{ // making and opening one
		Files: []string{
			"seal/seal.go", "open/open.go",
			"internal/cobblestone/cobblestone.go",
			"internal/cobblestone/stream.go NewReader ended Reader.next NewReaderAt ReaderAt.chunk readAt",
		},
		Tests:    []string{"internal/cobblestone", "open", "seal", "sealed"},
		Literals: []string{"append"},
	},
	{ // settings and letters
		Files: []string{
			"internal/parcel/parcel.go", "settings/settings.go",
			"letter/letter.go", "letter/inbox.go", "letter/condition.go SealCondition OpenCondition",
		},
		Tests:    []string{"internal/parcel", "settings", "letter"},
		Literals: []string{"append"},
	},
	{ // who may see what
		Files: []string{
			"deed/body.go", "deed/body_people.go", "deed/body_place.go", "deed/deed.go", "deed/fold.go", "deed/fold_people.go", "deed/fold_place.go",
			"deed/key.go", "deed/person.go", "deed/sees.go", "deed/standing.go", "deed/title.go", "deed/title_people.go", "deed/title_place.go",
		},
		Tests: []string{"deed", "sealed", "letter", "settings"},
	},
	{ // keys wrapped for people
		Files: []string{"key/epoch.go", "key/key.go", "key/past.go", "key/person.go", "key/agent.go AgentKeys.KeyID AgentKeys.Body AgentKeys.Find"},
		Tests: []string{"key", "sealed", "open", "settings"},
	},
	{ // what pages and agents sign and are answered
		Files: []string{
			"api/mac.go", "api/sign.go", "api/ticket.go", "api/invite.go", "api/join.go", "api/ask.go",
		},
		Tests:    []string{"api"},
		Literals: []string{"append"},
	},
	{ // what a cache may answer
		Files: []string{
			"bound/bound.go", "bound/value.go", "bound/key.go", "bound/flight.go Cache.ask",
			"bound/cache.go Cache.look Cache.keep", "bound/tier.go tier.look tier.weigh",
		},
		Tests:    []string{"bound"},
		Literals: []string{"Question", "Answer", "append"},
	},
	{ // what a server compares before it answers
		Files: []string{"server/door.go compare", "server/condition.go fits", "server/relay.go errand.answeredBy", "server/upload.go among"},
		Tests: []string{"server ^Test(DoorComparesEverything|[A-Z][a-z]*FitTheir[A-Z][a-z]*)$"},
	},
	{ // what a database and a disk give back
		Files: []string{"archive/row.go kept.row kept.fits keptEnvelope.fits", "blob/disk.go whole"},
		Tests: []string{"archive ^Test(EveryColumnCounts|CrossedRows)$", "blob"},
	},
	{ // whose commands an agent obeys
		Files: []string{"agent/right.go who.may commands.allowed"},
		Tests: []string{"agent ^Test(WhoMay|May|Commands.*)$"},
	},
}

// Slow are tests that build altered programs of their own, in which there are no
// mutants.
var Slow = regexp.MustCompile(`(Controls?|Notices|Noticed|NoticeMissingChecks|NoticeAMissingCheck|AServerThatErrs)$`)
