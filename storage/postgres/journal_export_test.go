package postgres

import (
	"context"

	"github.com/keywright/keywright/storage"
)

// Statement is one of the journal's, with parameters as SQL writes them.
type Statement struct{ Query, Parameters string }

// JournalStatements gives all but those that are to read everything.
func JournalStatements() map[string]Statement {
	span := "0, 9000, 8"
	return map[string]Statement{
		"pending":           {selectPending, "1000"},
		"settle":            {deletePending, "ARRAY ['a', 'b', 'c']"},
		"the last chunk":    {chunkUpTo, "5000"},
		"append":            {insertBlock, "9000, 9000, NULL, NULL, NULL, '{9000}', '{9001}', '{9000}', '{1}', '{a}', '{1, 2, 3}', '{9000, 9000, 9000}'"},
		"grow":              {insertBlock, "9000, 9000, 8992, 9001, 'a', '{}', '{}', '{}', '{}', '{}', '{1, 2, 3}', '{8992, 8992, 8992}'"},
		"blocks":            {selectBlocks, "5000, 8"},
		"the last block":    {selectBlocks, "NULL, 8"},
		"chunks":            {selectChunks, span},
		"range":             {selectRange, "1780000000000, 1780000000000, 5000"},
		"untagged":          {untagged(oldest), span},
		"untagged, newest":  {untagged(newest), span},
		"tagged":            {tagged(oldest), span + ", '{1, 2, 3, 4}'"},
		"tagged, newest":    {tagged(newest), span + ", '{1, 2, 3, 4}'"},
		"tagged with one":   {tagged(newest), span + ", '{1}'"},
		"tagged, a big log": {tagged(newest), "0, 9000000, 64, '{1, 2}'"},
	}
}

// The lock that appenders take turns by.
const LockLog = lockLog

// WriteBlock writes a block as AppendBlock does that has read a log which ends
// at this index, and reports whether it did.
func WriteBlock(ctx context.Context, s storage.Store, end int64, b storage.Block) (bool, error) {
	chunks, err := s.(*Store).codec.Add(nil, b)
	if err != nil {
		return false, err
	}
	return s.(*Store).writeBlock(ctx, blockWrite{first: b.First, next: &end, chunks: chunks})
}

// Exec runs a statement.
func Exec(ctx context.Context, s storage.Store, query string) error {
	_, err := s.(*Store).pool.Exec(ctx, query)
	return err
}

// CheckEntries checks in so many spans, of which each is longer.
func CheckEntries(ctx context.Context, s storage.Store, spans int64) (*storage.Misfit, error) {
	return s.(*Store).checkEntries(ctx, spans)
}
