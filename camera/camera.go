// Package camera is one camera as the agent sees it: its RTSP session, which copies
// access units and never transcodes them; the child process that decodes them to
// small grey frames for motion; and the one that makes a still of a picture.
//
// A camera is a stranger. Everything it sends is bounded before it is kept, every
// wait has an end, and its video is decoded in a child, never here.
package camera
