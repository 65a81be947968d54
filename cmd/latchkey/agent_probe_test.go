package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find/findtest"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

// twoStreams is a camera with a main stream and a sub-stream.
func twoStreams(t *testing.T, user, password string) *findtest.Server {
	t.Helper()
	return findtest.Serve(t, findtest.Device{User: user, Password: password, Films: map[string]cameratest.Film{
		"/stream1": cameratest.Encode(t, "testsrc2=size=1280x720:rate=15:duration=1"),
		"/stream2": cameratest.Encode(t, "testsrc2=size=640x360:rate=15:duration=1"),
	}})
}

// TestProbeScript runs testdata/probe.txt: a camera at $HOST, which answers ONVIF at $ONVIF,
// too.
func TestProbeScript(t *testing.T) {
	c := twoStreams(t, "viewer", `hunter2 @:/?#"`)
	device := onviftest.Serve(t, onviftest.Device{User: c.User, Password: c.Password, Manufacturer: "Reolink", Serial: "S-77", Streams: []onviftest.Stream{
		{Token: "m", Source: "v", Encoding: "H264", URI: c.URL("/stream1")}, {Token: "s", Source: "v", Encoding: "H264", URI: c.URL("/stream2")},
	}})
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/probe.txt"},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOST", c.Address().String())
			env.Setenv("ONVIF", device.Address().String())
			return os.WriteFile(filepath.Join(env.WorkDir, "password"), []byte(c.Password+"\n"), 0o600)
		},
	})
}
