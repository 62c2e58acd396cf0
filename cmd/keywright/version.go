package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCommand struct{}

// Run says which program this is.
func (versionCommand) Run(p *program) error {
	version, commit, state := "(devel)", "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, setting := range info.Settings {
			switch {
			case setting.Key == "vcs.revision":
				commit = setting.Value
			case setting.Key == "vcs.modified" && setting.Value == "true":
				state = ", with changes"
			}
		}
	}
	_, err := fmt.Fprintf(p.stdout, "keywright %s\ncommit %s%s\n%s %s/%s\n",
		version, commit, state, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
