package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/latchkey-cam/latchkey/agent"
)

// printCameras says of every camera whether it is recorded, or why not, and since when.
func printCameras(w io.Writer, cameras []agent.CameraStatus) {
	if len(cameras) == 0 {
		fmt.Fprintln(w, "cameras   none yet. Add one with: latchkey agent add-camera NAME rtsp://USER@ADDRESS/PATH")
	}
	for i, c := range cameras {
		fmt.Fprintf(w, "%-9s %s: %s since %s\n", map[bool]string{true: "cameras"}[i == 0], c.Name, cameraWord(c), at(c.Since))
		for _, line := range []string{pictures(c), whyNot(c), c.Motion} {
			if line != "" {
				fmt.Fprintf(w, "          %s\n", line)
			}
		}
	}
}

// pictures says what comes from a camera, "" if nothing does.
func pictures(c agent.CameraStatus) string {
	var parts []string
	if c.Width > 0 {
		parts = append(parts, fmt.Sprintf("%d x %d, %s", c.Width, c.Height, c.Codec))
	}
	if c.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%.4g pictures a second", c.Rate))
	}
	if c.Audio != "" {
		parts = append(parts, "sound "+c.Audio)
	}
	if !c.Last.IsZero() {
		parts = append(parts, "last picture "+humanize.Time(c.Last))
	}
	if c.Events > 0 {
		parts = append(parts, fmt.Sprintf("%d events in 24 hours", c.Events))
	}
	return strings.Join(parts, ", ")
}

func whyNot(c agent.CameraStatus) string {
	if c.Recording {
		return ""
	}
	return c.Detail
}

func cameraWord(c agent.CameraStatus) string {
	if c.Recording {
		return "recording"
	}
	switch c.State {
	case agent.CameraAsking:
		return "not recording: waiting for the owner to add it on the home's page,"
	case agent.CameraWaiting:
		return "not recording: waiting for the server,"
	case agent.CameraElse:
		return "not recording: it belongs to another agent of the home,"
	case agent.CameraReleased:
		return "released"
	case agent.CameraOff:
		return "off"
	case agent.CameraReceiving:
		return "not recording"
	}
	return "not recording: " + strings.ReplaceAll(string(c.State), "-", " ") + ","
}
