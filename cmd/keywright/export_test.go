package main

import "io"

// Run runs one command.
var Run = run

// Tell gives what tells how many of some things are done, of how many.
func Tell(to io.Writer) func(what string, done, total int64) { return newTeller(to).say }

// Sweep removes what is deleted and old.
var Sweep = sweep
