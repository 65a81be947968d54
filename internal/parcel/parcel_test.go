package parcel_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestNothingForNobody: a parcel that cannot be sealed to everybody whom it is for is
// not made.
func TestNothingForNobody(t *testing.T) {
	o := keytest.NewOwner()
	o.Found()
	good, _ := o.Title().EpochKey(1)
	to := []sealed.Recipient{{Recipient: sealed.ToEpoch, Key: good, Epoch: 1}, {Recipient: sealed.ToAgent, Key: deed.Key{Algorithm: deed.XWing}, Epoch: 1}}
	if err := parcel.Seal(&sealed.Letter{}, to[:1], nil); err != nil {
		t.Fatal(err)
	}
	if err := parcel.Seal(&sealed.Letter{}, to, nil); err == nil {
		t.Error("sealed to a key that is none")
	}
	if err := parcel.Write(&sealed.Letter{}, o.Keys.Signing, o.Title(), to, nil); err == nil {
		t.Error("signed without having been sealed to everybody")
	}
}
