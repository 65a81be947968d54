package mutants

import "regexp"

// Rooms are the places where a line stands between a person and a stranger's home.
var Rooms = []Room{
	{
		Files: []string{"sealed/sealed.go", "sealed/envelope.go", "sealed/parcel.go", "sealed/verify.go", "sealed/file.go", "sealed/letter.go", "sealed/settings.go"},
		Tests: []string{"sealed"},
	},
}

// Equivalents are the mutants that no test can notice, because they do what the
// original does.
var Equivalents = []Equivalent{}

// Slow are tests that build altered programs of their own, in which there are no
// mutants.
var Slow = regexp.MustCompile(`Control`)
