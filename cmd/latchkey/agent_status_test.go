package main

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera"
)

// TestStatusOfCameras: every camera is said to be recorded, or not and why, and since
// when.
func TestStatusOfCameras(t *testing.T) {
	since := time.Date(2026, 6, 1, 12, 0, 0, 0, time.Local)
	for _, tt := range []struct {
		status agent.CameraStatus
		want   string
	}{
		{agent.CameraStatus{
			State: agent.CameraReceiving, Recording: true, Detail: "Receiving pictures.", Width: 1920, Height: 1080, Codec: "avc1.640028",
			Rate: 14.98, Audio: "AAC", Events: 3,
		}, "Yard: recording since 2026-06-01 12:00:00\n          1920 x 1080, avc1.640028, 14.98 pictures a second, sound AAC, 3 events in 24 hours\n"},
		{agent.CameraStatus{State: agent.CameraReceiving, Recording: true, Motion: "No motion is looked for."}, "Yard: recording since 2026-06-01 12:00:00\n          No motion is looked for.\n"},
		{agent.CameraStatus{State: agent.CameraReceiving, Detail: "The disk is full."}, "Yard: not recording since 2026-06-01 12:00:00\n          The disk is full.\n"},
		{agent.CameraStatus{State: agent.CameraOff, Detail: "The home has switched it off."}, "Yard: off since 2026-06-01 12:00:00\n          The home has switched it off.\n"},
		{agent.CameraStatus{State: agent.CameraReleased, Detail: "The home has released it."}, "Yard: released since 2026-06-01 12:00:00\n          The home has released it.\n"},
		{agent.CameraStatus{State: agent.CameraAsking}, "Yard: not recording: waiting for the owner to add it on the home's page, since 2026-06-01 12:00:00\n"},
		{agent.CameraStatus{State: agent.CameraState(camera.AnotherDevice), Detail: camera.AnotherDevice.Says()}, "Yard: not recording: another device, since 2026-06-01 12:00:00\n          " + camera.AnotherDevice.Says() + "\n"},
	} {
		tt.status.Name, tt.status.Since = "Yard", since
		var b strings.Builder
		printCameras(&b, []agent.CameraStatus{tt.status})
		if got := b.String(); got != "cameras   "+tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.status.State, got, tt.want)
		}
	}
}

// TestStatusOfAgentsThatEnded: an agent that the home has parted with is not said to be
// started by starting it, and what to do stands there.
func TestStatusOfAgentsThatEnded(t *testing.T) {
	for state, starts := range map[uplink.State]bool{uplink.Connected: true, uplink.Cloned: false, uplink.Released: false} {
		s := agent.Status{At: time.Now(), Uplink: uplink.Status{State: state, Detail: "What to do."}}
		var b strings.Builder
		printStatus(&b, s)
		if got := b.String(); strings.Contains(got, "Start it with") != starts || !strings.Contains(got, "          What to do.\n") {
			t.Errorf("%s:\n%s", state, got)
		}
	}
}
