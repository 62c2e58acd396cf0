package journal

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// String says in one line what was seen, where nothing was wrong but what a
// restoration explains.
func (r Report) String() string {
	if r.Size == 0 {
		return "The journal has no entries yet."
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The journal is whole: %s in %s of the log %s, epoch %d, with the root %s.",
		count(r.Size, "entry", "entries"), count(r.Blocks, "block", "blocks"), r.Log, r.Epoch, base64.StdEncoding.EncodeToString(r.Root[:]))
	if r.Covered > 0 {
		fmt.Fprintf(&b, " It continues the checkpoint at %s.", count(r.Covered, "entry", "entries"))
	} else {
		b.WriteString(" No checkpoint vouches for it.")
	}
	for _, one := range r.Restorations {
		fmt.Fprintf(&b, " It was restored at %s on %s, and went on in epoch %d.", count(one.Size, "entry", "entries"), one.At.UTC().Format(timeFormat), one.Epoch)
	}
	if n := r.Records - r.Differ; n > 0 {
		fmt.Fprintf(&b, " %s as the last entries say.", count(n, "record is", "records are"))
	}
	return b.String()
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
