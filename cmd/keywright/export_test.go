package main

// Run runs one command.
var Run = run

// Sweep removes what is deleted and old.
var Sweep = sweep
