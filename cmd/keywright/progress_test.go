package main_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	main "github.com/keywright/keywright/cmd/keywright"
)

func TestWhereNobodyLooksOnThereIsALineNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told strings.Builder
		tell := main.Tell(&told)
		for n := range int64(25) {
			tell("records", n, 0)
			<-time.After(time.Second)
		}
		tell("entries", 0, 7)
		<-time.After(5 * time.Second)
		tell("entries", 5, 7)
		want := "keywright: 10 records\nkeywright: 20 records\nkeywright: 5 of 7 entries\n"
		if diff := cmp.Diff(want, told.String()); diff != "" {
			t.Error(diff)
		}
	})
}
