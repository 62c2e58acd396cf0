package journal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"math/bits"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// exporting is an export under way.
type exporting struct {
	Export
	out     *bufio.Writer
	note    Note // that vouches for any of the entries; none where the size is 0
	walk    *walk
	root    tlog.Hash // of the tree at To
	proof   subtrees
	at      time.Time // of the block that is written
	line    []byte
	scanner scanner
	facts   facts
}

// begin finds out what is asked for, and writes the first line.
func (x *exporting) begin(ctx context.Context) error {
	last, err := x.Store.Blocks(ctx, storage.LastBlock, 1)
	switch {
	case err != nil:
		return err
	case len(last) == 0:
		return fault.Errorf(fault.InvalidInput, "the journal has no entries yet")
	}
	size := last[0].Next()
	if x.To == 0 {
		x.To = size
	}
	if x.From < 0 || x.From > x.To || x.To > size {
		return fault.Errorf(fault.InvalidInput, "from %d to %d is no part of the journal, which has %d entries", x.From, x.To, size)
	}
	if x.walk, err = walkAt(ctx, x.Store, x.From); err != nil {
		return err
	}
	end, err := walkAt(ctx, x.Store, x.To)
	if err != nil {
		return err
	}
	if err := x.takeNote(ctx, end.log, size); err != nil {
		return err
	}
	epoch := end.epoch
	if x.note.Size > 0 {
		epoch = x.note.Epoch
	}
	x.root = x.walk.tree.root()
	return x.write(exportHead{Format: ExportFormat, Log: end.log, Epoch: epoch, From: x.From, Edge: x.walk.tree.clone().edge})
}

// takeNote takes the checkpoint, if it vouches for any of the entries.
func (x *exporting) takeNote(ctx context.Context, log string, size int64) error {
	c := x.Note
	if c.Size == 0 {
		return nil
	}
	if err := c.sameLog(log); err != nil {
		return err
	}
	if err := lossOf(ctx, x.Store, c.Checkpoint); err != nil {
		return err
	}
	if c.Size > size {
		return found(size, "the log ends here, and the checkpoint has %d entries: the last were cut off", c.Size)
	}
	if c.Size > x.From {
		x.note, x.proof = c, subtrees{at: x.To, end: c.Size}
	}
	return nil
}

// covered is how many entries the checkpoint vouches for.
func (x *exporting) covered() int64 { return min(x.note.Size, x.To) }

// entries writes the entries, and reads on to the checkpoint.
func (x *exporting) entries(ctx context.Context) error {
	end := max(x.To, x.note.Size)
	if x.From == end {
		return nil
	}
	for b, err := range blocksFrom(ctx, x.Store, x.From) {
		if err != nil {
			return err
		}
		x.at = b.At
		if err := x.walk.next(b, x.entry); err != nil {
			return err
		}
		if x.Progress != nil {
			x.Progress(x.walk.tree.size - x.From)
		}
		if x.walk.tree.size >= end {
			return nil
		}
	}
	return found(x.walk.tree.size, "the log ends here, and had %d entries before", end)
}

func (x *exporting) entry(index int64, e *storage.Entry, leaf tlog.Hash) error {
	if index < x.To {
		if err := x.writeEntry(index, e, leaf); err != nil {
			return err
		}
	} else if index < x.note.Size {
		x.proof.add(leaf)
	}
	if size := index + 1; size == x.To {
		x.root = x.walk.tree.root()
	}
	if x.walk.tree.size == x.note.Size && (x.walk.epoch != x.note.Epoch || x.walk.tree.root() != x.note.Root) {
		return found(Nowhere, "the log was rewritten before entry %d: the checkpoint at %d entries has another root", x.note.Size, x.note.Size)
	}
	return nil
}

func (x *exporting) writeEntry(index int64, e *storage.Entry, leaf tlog.Hash) error {
	line := append(x.line[:0], `{"index":`...)
	line = strconv.AppendInt(line, index, 10)
	line = x.at.UTC().AppendFormat(append(line, `,"logged":"`...), timeFormat)
	line = base64.StdEncoding.AppendEncode(append(line, `","leaf":"`...), leaf[:])
	if x.isLine(e) {
		line = append(append(line, `","entry":`...), e.Body...)
	} else {
		line = append(base64.StdEncoding.AppendEncode(append(line, `","base64":"`...), e.Body), '"')
	}
	x.line = append(line, "}\n"...)
	_, err := x.out.Write(x.line)
	return err
}

// isLine reports whether the body is JSON on one line.
func (x *exporting) isLine(e *storage.Entry) bool {
	x.facts.subjects = x.facts.subjects[:0]
	return x.scanner.scan(&x.facts, e) ||
		json.Valid(e.Body) && utf8.Valid(e.Body) && !bytes.ContainsAny(e.Body, "\n\r")
}

// end writes the last line.
func (x *exporting) end() error {
	last := exportEnd{To: x.To, Root: x.root}
	if x.note.Size > 0 {
		last.Checkpoint, last.Proof = x.note.Text, x.proof.hashes
	}
	if err := x.write(last); err != nil {
		return err
	}
	return x.out.Flush()
}

func (x *exporting) write(line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = x.out.Write(append(text, '\n'))
	return err
}

// subtrees collects the hashes of the full subtrees that lead from a tree of
// one size to that of another.
type subtrees struct {
	at, end int64 // of the leaves that are to come
	open    tree  // the subtree that begins at at, as far as it is there
	hashes  []tlog.Hash
}

// add takes the next leaf.
func (s *subtrees) add(leaf tlog.Hash) {
	s.open.add(leaf)
	if s.open.size == subtreeAt(s.at, s.end) {
		s.hashes = append(s.hashes, s.open.edge[0])
		s.at, s.open = s.at+s.open.size, tree{}
	}
}

// subtreeAt gives the size of the largest subtree that begins at a multiple of
// its own size and does not reach beyond end.
func subtreeAt(at, end int64) int64 {
	size := int64(1) << (bits.Len64(uint64(end-at)) - 1)
	if at > 0 {
		size = min(size, at&-at)
	}
	return size
}
