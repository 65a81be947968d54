//go:build !linux

package agent

// networkFileSystem says nothing where there is no common way to ask.
func networkFileSystem(string) string { return "" }
