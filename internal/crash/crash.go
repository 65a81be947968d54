// Package crash gives names to the moments at which a power cut would hurt most. In a
// normal build [Point] does nothing. In a build with the tag crashpoints, which only
// tests make, the process kills itself with SIGKILL at the point that the environment
// variable LATCHKEY_CRASH names, so that nothing is flushed, deferred or said.
//
//	LATCHKEY_CRASH=server.indexed      the first time this point is reached
//	LATCHKEY_CRASH=server.indexed:3    the third time
package crash
