package latchkey

// Sighting is what a camera itself says that it saw: any of a small closed set, empty if
// nothing. It is all that is ever kept of a camera's own words.
type Sighting uint8

// What a camera can say that it saw, in the order in which it is told.
const (
	SawVisitor Sighting = 1 << iota // somebody pressed the doorbell
	SawPerson
	SawFace
	SawVehicle
	SawAnimal
	SawPackage
)

// SawAll is everything that can be seen.
const SawAll = SawVisitor | SawPerson | SawFace | SawVehicle | SawAnimal | SawPackage

// sightings are the names, by bit.
var sightings = [...]string{"visitor", "person", "face", "vehicle", "animal", "package"}

// SightingOf returns what a name stands for, nothing if it is none that we know.
func SightingOf(name string) Sighting {
	for i, known := range sightings {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

// Names returns the names of what was seen, in the order of the set.
func (s Sighting) Names() []string {
	var names []string
	for i, name := range sightings {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
