package main

import "github.com/latchkey-cam/latchkey/internal/sabotage"

// controls builds the tests here without a check, for all controls of them at once.
var controls = sabotage.Program{Root: "../.."}
