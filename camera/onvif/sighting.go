package onvif

import (
	"strings"

	"github.com/latchkey-cam/latchkey"
)

// topics are those that stand for one thing, without namespaces and in small letters.
// They are of cameras that have a topic for each.
var topics = map[string]latchkey.Sighting{
	"ruleengine/myruledetector/visitor":                 latchkey.SawVisitor,
	"ruleengine/myruledetector/peopledetect":            latchkey.SawPerson,
	"ruleengine/myruledetector/facedetect":              latchkey.SawFace,
	"ruleengine/myruledetector/vehicledetect":           latchkey.SawVehicle,
	"ruleengine/myruledetector/non_motor_vehicledetect": latchkey.SawVehicle,
	"ruleengine/myruledetector/dogcatdetect":            latchkey.SawAnimal,
	"ruleengine/myruledetector/package":                 latchkey.SawPackage,
	"useralarm/iva/humanshapedetect":                    latchkey.SawPerson,
}

// flags are the items that say it by their name, in whichever topic of the rule engine:
// the cameras that have them name the topics as their firmware likes.
var flags = map[string]latchkey.Sighting{
	"ispeople":  latchkey.SawPerson,
	"isvehicle": latchkey.SawVehicle,
	"ispet":     latchkey.SawAnimal,
}

// detectors begin the topics in which an item names what was seen.
var detectors = []string{
	"ruleengine/objectdetector/", "ruleengine/objectdetection/", "ruleengine/fielddetector/", "ruleengine/linedetector/",
	"cameraapplicationplatform/objectanalytics/", "openapp/wiseai/",
}

// classes are what such an item may name.
var classes = map[string]latchkey.Sighting{
	"human": latchkey.SawPerson, "person": latchkey.SawPerson, "people": latchkey.SawPerson,
	"face": latchkey.SawFace, "humanface": latchkey.SawFace,
	"vehicle": latchkey.SawVehicle, "car": latchkey.SawVehicle, "truck": latchkey.SawVehicle, "bus": latchkey.SawVehicle,
	"motorcycle": latchkey.SawVehicle, "bicycle": latchkey.SawVehicle, "bike": latchkey.SawVehicle,
	"animal": latchkey.SawAnimal, "dog": latchkey.SawAnimal, "cat": latchkey.SawAnimal, "pet": latchkey.SawAnimal,
	"package": latchkey.SawPackage, "parcel": latchkey.SawPackage,
}

// Sighting returns what the message says was seen: nothing if it is of another topic,
// says that something is not there any more, or tells how things were when somebody
// subscribed.
func (m Message) Sighting() latchkey.Sighting {
	if m.Operation == "Initialized" || m.Operation == "Deleted" {
		return 0
	}
	topic := bare(m.Topic)
	said, is := m.state()
	if s := topics[topic]; s != 0 {
		if is {
			return s
		}
		return 0
	}
	var s latchkey.Sighting
	if strings.HasPrefix(topic, "ruleengine/") {
		for _, i := range m.Data {
			if isTrue(i.Value) {
				s |= flags[strings.ToLower(i.Name)]
			}
		}
	}
	if said && !is {
		return s
	}
	for _, d := range detectors {
		if strings.HasPrefix(topic, d) {
			return s | m.named()
		}
	}
	return s
}

// bare is a topic without namespaces, in small letters.
func bare(topic string) string {
	parts := strings.Split(strings.ToLower(topic), "/")
	for i, p := range parts {
		if _, local, found := strings.Cut(p, ":"); found {
			parts[i] = local
		}
	}
	return strings.TrimRight(strings.Join(parts, "/"), "/.")
}

// state returns whether the message says if something is so, and whether it is.
func (m Message) state() (said, is bool) {
	for _, i := range m.Data {
		name := strings.ToLower(i.Name)
		if name == "state" || name == "active" || strings.HasPrefix(name, "is") {
			said, is = true, is || isTrue(i.Value)
		}
	}
	return said, is
}

// named returns what an item names. It may name several things.
func (m Message) named() latchkey.Sighting {
	var s latchkey.Sighting
	for _, i := range m.Data {
		switch strings.ToLower(i.Name) {
		case "classtypes", "classtype", "objecttypes", "objecttype", "objectclass", "class":
			for word := range strings.FieldsFuncSeq(strings.ToLower(i.Value), func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
				s |= classes[word]
			}
		}
	}
	return s
}

func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }
