// Package test drives the real binary over HTTP, as its users do: by the
// scripts of testdata, by the tour of the README, and by callers who know what
// they were answered, while the server is killed or stopped, its disk is full,
// or another one shares its data. What a smaller test can show belongs with
// the code.
//
// The scripts are those of testscript (go doc
// github.com/rogpeppe/go-internal/testscript), with keywright in PATH and
// these commands besides:
//
//	[!] serve [NAME=VALUE...] [FLAG...]
//		Starts keywright serve --dev on a free port and waits until it
//		listens. Sets URL and TOKEN. A script has one server at a time.
//	start [NAME=VALUE...] ARGUMENT...
//		The same for any command that listens; sets URL alone. Negated,
//		both want the program to end with an error before it listens.
//	shutdown
//		Sends SIGTERM and wants the server to end well.
//	kill9
//		Kills the server.
//	[!] graphql [-anonymous] QUERY [VARIABLES]
//		Posts a query, with the admin token if there is one, and wants an
//		answer without errors; negated, one with errors. @NAME reads a
//		file. The body is the stdout, the status the stderr.
//	[!] field PATH VALUE
//		Compares what stands in the last body at a path such as
//		data.licenses.nodes.0.id. A value that is no text is JSON.
//	capture NAME PATH
//		Sets a variable to what stands at the path.
package test
