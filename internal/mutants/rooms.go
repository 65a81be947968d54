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
			"internal/parcel/parcel.go", "internal/parcel/once.go", "settings/settings.go",
			"letter/letter.go", "letter/inbox.go", "letter/condition.go SealCondition OpenCondition",
		},
		Tests:    []string{"internal/parcel", "settings", "letter"},
		Literals: []string{"append"},
	},
	{ // live view
		Files: []string{
			"sealed/live.go", "sealed/knock.go", "sealed/grant.go", "sealed/fragment.go",
			"live/live.go", "live/run.go", "live/porter.go", "live/viewer.go",
		},
		Tests:    []string{"live", "sealed ^TestStreamKinds$"},
		Literals: []string{"append"},
	},
	{ // what a relay passes on, and to whom
		Files: []string{
			"relay/inlet.go", "relay/run.go", "relay/stream.go",
			"relay/viewer.go Viewer.Knock Relay.expect Relay.forget Relay.Grant Relay.answered Viewer.grant Viewer.look Viewer.ended Viewer.moveTo Viewer.pick Viewer.pickAny",
		},
		Tests:    []string{"relay"},
		Literals: []string{"append"},
	},
	{ // who may see what
		Files: []string{
			"deed/body.go", "deed/body_people.go", "deed/body_place.go", "deed/deed.go", "deed/fold.go", "deed/fold_people.go", "deed/fold_place.go",
			"deed/key.go", "deed/person.go", "deed/sees.go", "deed/standing.go", "deed/title.go", "deed/title_people.go", "deed/title_place.go",
		},
		Tests: []string{"deed", "sealed", "letter", "settings"},
	},
	{ // what was deleted, by whom, and what that covers
		Files: []string{
			"tombstone/tombstone.go", "tombstone/set.go",
			"server/tombstone.go", "server/resurrect.go",
			"agent/uplink/tombstones.go",
		},
		Tests: []string{"tombstone", "agent/uplink ^Test(Tombstones.*|Footage.*|LostTombstones)$",
			"server ^Test(BadInput|Delete|WhoDeletes|HomeEnds|Retention|HomeBound|ClosedHome|EveryReadIsCrossed|Crossed(Reads|Rows)|AgentIs.*|AgentHears.*|Tombstones.*|CrossedTombstones)$"},
		Literals: []string{"append", "Tombstone"},
		Plumbed:  true,
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
			"bound/cache.go Cache.look Cache.keep", "bound/tier.go",
		},
		Tests:    []string{"bound"},
		Literals: []string{"Question", "Answer", "append"},
	},
	{ // what a server compares before it answers, whom it hands out an object, and what it writes down of that
		Files: []string{
			"server/door.go compare door.deliver door.allowed door.find door.small door.read door.withhold door.blank door.receipt",
			"server/clerk.go clerk.put clerk.enter",
		},
		Tests: []string{"server ^Test(Porch|DoorComparesEverything|[A-Z][a-z]*FitTheir[A-Z][a-z]*|Crossed(Blobs|Rows|Reads|Bodies)|EveryReadIsCrossed|DamagedBlobs|NoReceiptNoBytes|" +
			"EverybodySeesTheirs|EnvelopesAreTheAskers|FrozenHomeShowsNothing|NotYoursIsNotThere|EveryBodyIsClosed|Kept.*|CacheCrossesHomes|CacheRemembersTheRemoved|HeldRoutes|InvitedPerson|" +
			"Receipts.*|Clerk.*|Reports.*)$"},
		Literals: []string{"archive.Receipt"},
		Plumbed:  true,
	},
	{ // how a server finds sessions, deeds and where they end
		Files: []string{
			"server/session.go asking.asMember Server.cookie Server.session Server.holding Server.signIn Server.signInPerson Server.admit Server.begin",
			"server/titles.go titles.open opened titles.at titles.extend titles.deeds titles.compared",
			"server/heads.go",
			"server/wall.go asking.pass asking.mayEnter asking.enter asking.address asking.sameOrigin asking.asAgent",
		},
		Tests: []string{"server ^Test(Porch|Copy|HomeEnds|RouteWalk|WhoseSessionHolds|TitlesFollowTheHead|MethodsAreTheTables|AddressesOfNothing|NotYoursIsNotThere|Origin|BadInput|Sessions.*|Swapped(Cookies|Answers)|ForgottenMAC|PagesShareASession|HeadsAre.*|Lease|" +
			"Crossed(Rows|Reads)|EveryReadIsCrossed|DeedsCut|GuestsTimeRunsOut|InvitedPerson|PersonalSignIn|ClosedHome|ForkAfterRestore|UploadHeaders|AgentIsRefused|HeldRoutes|" +
			"HoldsThatCannotBeRead|RightsAreTheTables|Kept.*|Cache.*|WholeWay|AppendIsCompareAndSwap|PartedAgent|Passkeys|SessionRunsOut|SomebodyElsesBrowser|LinkSignsNobodyIn|ShortMACKey|OvertakenAppend)$"},
		Literals: []string{"archive.Session", "claim"},
		Plumbed:  true,
	},
	{ // what a server keeps in its cache, and of which question
		Files:    []string{"server/kept.go ask kept.question", "server/form.go"},
		Tests:    []string{"server ^Test(Kept.*|KeptIsWhatItSays|Cache(CrossesHomes|RemembersTheRemoved|OutlivesARestore)|DamagedCache|Crossed(Rows|Reads|Bodies)|EveryReadIsCrossed|DamagedBlobs)$"},
		Literals: []string{"bound.Question", "bound.Answer"},
		Plumbed:  true,
	},
	{ // who may what at a server
		Files: []string{
			"server/right.go", "server/sessions.go", "server/cut.go stillMay", "server/events.go Server.page Server.rows",
		},
		Tests: []string{"server ^Test(Porch|ListByCameraAndTime|Envelopes.*|WhatGrowthEnds|WhoGoesOn|NobodyElseHears|ListWithoutWhatIsNotTheirs|Rights.*Tables|HintsAreTheTables|WhoEndsSessions|" +
			"EverybodySeesTheirs|UploadsAreForThoseOfNow|SessionsAreListedAndEnded|FrozenHomeShowsNothing|ListGoesOn|InvitedPerson|PersonalSignIn|" +
			"DeedsCut|GuestsTimeRunsOut|EndedSessionIsCut|AgentsAreCut|PartedAgent|Crossed(Rows|Reads)|EveryReadIsCrossed|Live.*)$"},
		Literals: []string{"archive.Growth", "archive.Gone", "span"},
		Plumbed:  true,
	},
	{ // whose word a server takes
		Files: []string{
			"server/ticket.go", "server/mac.go", "server/nonce.go", "server/report.go",
			"server/join.go Server.openJoin announced Server.joinOf Server.slot Server.join Server.answerJoin parses Server.revealJoin Server.asks asked Server.takeAsk",
		},
		Tests: []string{"server ^Test(Nonces.*|AgentsNoncesAreTheirOwn|Pace|ReportsFitTheirReceipts|AsksFitTheirRows|Swapped(Cookies|Answers)|ForgottenMAC|PagesShareASession|" +
			"Tickets.*|SignUpRefusals|Sessions|SetupSecret|AgentIsRefused|UploadHeaders|ReportsAreNotVerdicts|Crossed(Rows|Reads|Blobs)|EveryReadIsCrossed|" +
			"Join|Asks|InvitedPerson|HeldRoutes|BadInput|RightsAreTheTables)$"},
		Literals: []string{"archive.Join", "archive.Ask"},
		Plumbed:  true,
	},
	{ // what a server takes in
		Files: []string{"server/upload.go"},
		Tests: []string{"server ^Test(Envelopes.*|Upload.*|OldEpoch|EpochTurnsMeanwhile|HomeGrowsMeanwhile|Crossed(Reads|Bodies)|EveryReadIsCrossed|PartedAgent|" +
			"EarlyRefusalArrives|FullDisk|HomeBound|SlowSender|PlacesAreBounded|Delete)$"},
		Literals: []string{"archive.Entry"},
		Plumbed:  true,
	},
	{ // what a server carries between pages and agents
		Files: []string{
			"server/errand.go errand.answeredBy conversation.answer conversation.refused",
			"server/command.go asking.command asking.signed", "server/condition.go conversation.takeCondition fits",
		},
		Tests:    []string{"server ^Test((Replies|Conditions)FitTheir.*|Command.*|ReplyThatIsAnothers|ReplyComesAtOnce|AgentRefuses.*|Conditions.*|CrossedConditions|PersonalSignIn)$"},
		Literals: []string{"archive.Condition"},
		Plumbed:  true,
	},
	{ // whom a server signs in to an account, and what opens it
		Files: []string{"server/account.go", "server/account_signin.go", "server/account_signup.go", "server/account_change.go", "server/account_end.go"},
		Tests: []string{"server ^Test(Account.*|AppCodes|One(Refusal|WayAtATime)|NoAddresses|SomebodyWasEarlier|DamagedVault|WhatIsNotedOfAnAccount|CookieGoesWithItsSession|ForgottenMACOfAnAccount|" +
			"SameAddressAgain|ParamsForAnybody|Guessing.*|Mail.*|WithoutMail|SignUpRefusals|Tickets.*|Vaults|Unlockers|" +
			"TooManyUnlockers|Proof|Passkey.*|Delete(Account|d.*)|MailOfADeletedAccount|CrossedReads|EveryReadIsCrossed)$"},
		Literals: []string{"archive.AccountSession", "archive.Unlocker", "archive.Account", "archive.Vault", "archive.AccountEnd", "account.Unlocker"},
		Plumbed:  true,
	},
	{ // what a server checks of a passkey
		Files:   []string{"server/passkey.go"},
		Tests:   []string{"server ^Test(Passkey.*|NoPasskeysHere|Proof|Unlockers|TooManyUnlockers|CrossedReads|EveryReadIsCrossed)$"},
		Plumbed: true,
	},
	{ // which agent a server takes one for, and what it tells it
		Files: []string{"server/agent.go"},
		Tests: []string{"server ^Test(Agent.*|GreetingsAreBounded|HoldOfAgentsCuts|ClonedAgentIsRefused|Newer.*|PartedAgent|BadFrames|Asks|Conditions.*|CrossedConditions|ClosedHome|HeldRoutes|" +
			"ReplyThatIsAnothers|Crossed(Rows|Reads)|EveryReadIsCrossed|GivingBackNonsense|ListenersAreBounded|BadInput|Live.*)$"},
		Literals: []string{"archive.Arrival", "asker", "api.Welcome", "api.DeedsFrame", "api.SettingsFrame", "api.Done"},
		Plumbed:  true,
	},
	{ // what an operator has stopped
		Files:   []string{"server/hold.go holds.read holds.stops stopped"},
		Tests:   []string{"server ^Test(Held.*|Holds?.*|NothingAfterAHold)$"},
		Plumbed: true,
	},
	{ // what a client of a server believes
		Files: []string{
			"api/client.go Client.do call.refusal call.answered Client.exchange sameHome Client.SignIn Client.SignInPerson Client.signIn Client.JoinSlot",
			"api/client_agent.go Agent.sign Agent.FoundAgain Agent.Offset Agent.Upload Socket.Receive",
			"api/client_home.go Home.call Home.ask Home.Deeds Home.Join Home.Changes Changes.Next",
			"api/client_account.go Client.SignUp Client.SignInAccount Client.EndAgain SignedIn.start SignedIn.ask",
			"api/socket.go DecodeFrame",
		},
		Tests:    []string{"api"},
		Literals: []string{"call", "SignIn", "SignInPerson", "AskChallenge"},
		Plumbed:  true,
	},
	{ // what an agent believes of a server
		Files: []string{
			"agent/uplink/ask.go", "agent/uplink/chain.go", "agent/uplink/command.go errands.begin errands.stop Command.Reply Command.Refuse Command.send",
			"agent/uplink/put.go Uplink.learn Uplink.envelopes",
			"agent/uplink/conversation.go Uplink.introduce Uplink.welcomed Uplink.farewell Uplink.giveBack Uplink.hello Uplink.settings conversation.run conversation.take refused receiveAs receive",
			"agent/uplink/start.go NextStart Start.hello Start.answered",
			"agent/uplink/uplink.go Parted isProtocol",
		},
		Tests:    []string{"agent/uplink"},
		Literals: []string{"api.Hello", "api.GiveBack", "api.Ask", "api.AskFrame", "api.ReplyFrame", "sealed.File"},
		Plumbed:  true,
	},
	{ // what is listed of what lies somewhere else
		Files:    []string{"archive/shelf.go", "blob/shown.go"},
		Tests:    []string{"archive ^TestShelf$", "blob ^TestShown$"},
		Literals: []string{"Event", "Usage", "Cursor"},
		Plumbed:  true,
	},
	{ // what is shown of an export, and to whom
		Files:    []string{"attic/attic.go", "attic/blobs.go", "attic/account.go", "attic/guard.go", "attic/serve.go Attic.fill Config.vault", "server/plant.go"},
		Tests:    []string{"attic", "porch", "cmd/latchkey ^TestOpenApp.*$"},
		Literals: []string{"archive.Row", "archive.Shelf", "archive.Growth", "archive.Document"},
		Plumbed:  true,
	},
	{ // what is shown in a home while its server cannot be reached, and to whom
		Files: []string{
			"porch/porch.go Porch.plant Porch.settle Porch.front", "porch/shelf.go",
			"agent/porch.go porchLine.vouched Agent.keepVouched Agent.PorchStands Agent.vouched", "agent/unsent.go",
		},
		Tests:    []string{"porch", "agent ^Test(Porch.*|Unsent)$"},
		Literals: []string{"archive.Row", "archive.Document", "blob.Object", "sealed.File"},
		Plumbed:  true,
	},
	{ // what a disk gives back, and what servers tell each other
		Files: []string{
			"blob/copy.go pour", "blob/staging.go staging.open staging.sumStaged staging.Held staging.Write staging.Commit",
			"blob/disk.go Disk.Open whole Disk.Staged Disk.Stage Disk.take objectPath",
			"bus/bus.go", "bus/live.go",
		},
		Tests:   []string{"blob", "bus"},
		Plumbed: true,
	},
	{ // what a check of a server compares, and what is dropped because nobody knows of it
		Files:   []string{"server/check.go checker.row wrong checker.mend", "server/unindexed.go", "blob/every.go Disk.Drop"},
		Tests:   []string{"server ^Test(Check|Unindexed).*$", "blob ^TestEvery$"},
		Plumbed: true,
	},
	{ // how live view goes from server to server
		Files:    []string{"server/trunk.go"},
		Tests:    []string{"server ^Test(Live.*|WantsAreBounded)$"},
		Literals: []string{"bus.Live", "api.KnockFrame"},
		Plumbed:  true,
	},
	{ // what an archive keeps of receipts, and finds
		Files:   []string{"archive/sheet.go", "archive/receipts.go SQLite.Receipts marked loose entries"},
		Tests:   []string{"archive ^(Test(Sheet.*|EntriesOfOthers|DamagedReceipts|ManyReceipts|ReleasedReceipts|SQLite)|FuzzReadSheet)$"},
		Plumbed: true,
	},
	{ // what a database gives back
		Files: []string{"archive/row.go kept.row kept.fits keptEnvelope.fits"},
		Tests: []string{"archive ^Test(EveryColumnCounts|CrossedRows)$"},
	},
	{ // whose commands an agent obeys
		Files: []string{"agent/right.go who.may commands.allowed"},
		Tests: []string{"agent ^Test(WhoMay|May|Commands.*)$"},
	},
}

// Slow are tests that build programs of their own, in which there are no mutants, and
// some of a server's that play for long, or by chance.
var Slow = regexp.MustCompile(`(Controls?|Notices|Noticed|NoticeMissingChecks|NoticeAMissingCheck|AServerThatErrs)$` +
	`|^server Test(Killed|OrdersOf.*|AppendsAreLinearizable|Backup.*|Restored?[CK].*|LeaseForReal)$`)
