package motion

// WithoutVeto makes a detector that takes changes of the light for anything else, for a
// control.
func WithoutVeto() *Detector { return &Detector{lax: lax{noVeto: true}} }

// AtOnce makes a detector for which one picture is enough, for a control.
func AtOnce() *Detector { return &Detector{lax: lax{once: true}} }
