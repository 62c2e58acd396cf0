package journal

import (
	"context"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/storage"
)

// Checkpoint says what a log was when it had a size. Signed, it is a note
// (c2sp.org/signed-note) of the form c2sp.org/tlog-checkpoint, without
// extension lines.
type Checkpoint struct {
	Log   string
	Epoch int64
	Size  int64 // at least 1
	Root  tlog.Hash
}

// End gives where a log ends, as the head of its last block says: the zero
// Checkpoint where it has no entries. It proves nothing; Verify does. A head
// that cannot be read is a Finding.
func End(ctx context.Context, store storage.Journal) (Checkpoint, error) {
	blocks, err := store.Blocks(ctx, storage.LastBlock, 1)
	if err != nil || len(blocks) == 0 {
		return Checkpoint{}, err
	}
	h, err := readHead(blocks[0])
	if err != nil {
		return Checkpoint{}, badHead(blocks[0], err)
	}
	t := h.tree()
	return Checkpoint{Log: h.Log, Epoch: h.Epoch, Size: h.Size, Root: t.root()}, nil
}

// originPrefix begins the first line of a checkpoint.
const originPrefix = "keywright/journal/"

// Origin is the checkpoint's first line: which log it is of, and which epoch.
func (c Checkpoint) Origin() string {
	return originPrefix + c.Log + "/" + strconv.FormatInt(c.Epoch, 10)
}

// text is what is signed.
func (c Checkpoint) text() string {
	return c.Origin() + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

var errCheckpoint = errors.New("the note is not a checkpoint of a journal")

// parseCheckpoint reads what text gives, and nothing else.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 {
		return Checkpoint{}, errCheckpoint
	}
	log, epoch, _ := strings.Cut(strings.TrimPrefix(lines[0], originPrefix), "/")
	epochs, badEpoch := strconv.ParseInt(epoch, 10, 64)
	size, badSize := strconv.ParseInt(lines[1], 10, 64)
	root, badRoot := base64.StdEncoding.DecodeString(lines[2])
	c := Checkpoint{Log: log, Epoch: epochs, Size: size}
	copy(c.Root[:], root)
	if errors.Join(badEpoch, badSize, badRoot) != nil || log == "" || c.Epoch < 1 || c.Size < 1 || c.text() != text {
		return Checkpoint{}, errCheckpoint
	}
	return c, nil
}

// sameLog fails, with a Finding, unless the checkpoint is of this log.
func (c Checkpoint) sameLog(log string) error {
	if c.Log != log {
		return found(Nowhere, "the checkpoint is of the log %s, and this is %s: another log stands in its place", c.Log, log)
	}
	return nil
}
