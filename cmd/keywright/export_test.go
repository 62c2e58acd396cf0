package main

// Run runs one command.
var Run = run
