package journal

import (
	"bufio"
	"context"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/storage"
)

// ExportFormat names the form of an export: lines of JSON, each an object.
//
// The first line says of which log it is, and in which epoch that was at the
// checkpoint, or without one is where the export ends; from which index on, and
// the edge of the Merkle tree (RFC 6962) of the entries before: the hashes of the
// full subtrees that they make up, the largest first, one for each bit that
// is set in their number.
//
//	{"format":"keywright journal export 1","log":"log_...","epoch":1,"from":2,"edge":["<base64>"]}
//
// A line for each entry follows: its index, when it was logged, its leaf hash,
// and the entry itself, byte for byte, as the last member. Its bytes are all
// that stands between the first `,"entry":` of the line and the line's last
// brace. What is not one line of JSON stands as base64 under "base64" instead.
// When an entry was logged is what storage says; only what is in the entry is
// hashed.
//
//	{"index":2,"logged":"2026-11-21T12:00:00.000Z","leaf":"<base64>","entry":{...}}
//
// The last line has the index behind the last entry and the root of the tree
// there. An export without it is cut off. The checkpoint, if one was given, is
// a signed note. Where its size is in from+1...to, it vouches for the entries
// before its size. Where it is larger than to, proof has the hashes of the
// full subtrees that lead from the tree at to to the one at its size: at each
// step the largest that begins at a multiple of its own size and does not
// reach beyond.
//
//	{"to":3,"root":"<base64>","checkpoint":"keywright/journal/...","proof":["<base64>"]}
const ExportFormat = "keywright journal export 1"

// Export is what is to be exported: the entries from From on and before To, in
// ExportFormat.
type Export struct {
	Store storage.Journal
	From  int64
	To    int64 // the end of the log if zero
	// Note is a checkpoint that its reader has verified; the zero one for none.
	Note     Note
	Progress func(entries int64) // see Verification
}

// Exported says what was exported.
type Exported struct {
	From, To int64
	Covered  int64 // how many of the log's entries the checkpoint vouches for, as far as they are exported; 0 for none
}

type exportHead struct {
	Format string      `json:"format"`
	Log    string      `json:"log"`
	Epoch  int64       `json:"epoch"`
	From   int64       `json:"from"`
	Edge   []tlog.Hash `json:"edge"`
}

type exportEnd struct {
	To         int64       `json:"to"`
	Root       tlog.Hash   `json:"root"`
	Checkpoint string      `json:"checkpoint,omitempty"`
	Proof      []tlog.Hash `json:"proof,omitempty"`
}

// Write writes the export. It verifies the tree of what it writes, and that
// the log continues the checkpoint. Errors: a Finding where it does not,
// InvalidInput where From and To are no part of the log, those of storage and
// those of w. After an error the export has no last line.
func (x Export) Write(ctx context.Context, w io.Writer) (Exported, error) {
	out := bufio.NewWriterSize(w, 1<<16)
	run := exporting{Export: x, out: out}
	err := run.begin(ctx)
	if err == nil {
		err = run.entries(ctx)
	}
	if err == nil {
		err = run.end()
	}
	return Exported{From: run.From, To: run.To, Covered: run.covered()}, err
}
