// Package fault puts faults between the parts of a cloud: the wires to its caches and
// pages, its database, its store, its bus. They are those by which a real system has
// shown, or could show, somebody what is another's. Each is put in by a schedule and
// drawn from one source of chance, so that the same seed does the same again, and counts
// how often it was really put in.
//
// Nothing of it knows what it carries. The faults are such as a library, a proxy or a
// database makes by itself; the client that is hurt by them is an unmodified one.
package fault
