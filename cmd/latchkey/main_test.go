package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts in testdata run this program as "latchkey".
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"latchkey": main})
}
