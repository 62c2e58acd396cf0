package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"runtime"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/server"
)

// checkpointConfig is what every command that signs checkpoints of the
// journal, or has the last one at hand, is told.
type checkpointConfig struct {
	CheckpointKey  string `placeholder:"FILE" help:"The private key that signs checkpoints of the journal, made by (umask 077; openssl genpkey -algorithm ed25519 -out FILE). Keep it out of the storage and its backups."`
	CheckpointFile string `placeholder:"FILE" help:"Where the last checkpoint is kept. Once the journal does not continue it nothing is signed, and serve is not ready."`
}

// checkCheckpoints is for serve. With --dev there are defaults.
func (c *config) checkCheckpoints(bad *problems) {
	switch {
	case c.CheckpointKey != "" && c.CheckpointFile == "":
		bad.add("checkpointFile", "not set; checkpointKey needs a file that keeps the last checkpoint, such as /var/lib/keywright/checkpoint")
	case c.CheckpointKey == "" && c.CheckpointFile != "":
		bad.add("checkpointFile", "needs checkpointKey")
	}
	if c.CheckpointURL == "" {
		return
	}
	if c.CheckpointKey == "" {
		bad.add("checkpointURL", "needs checkpointKey")
	}
	// Not shown: it may hold a token.
	u, err := url.Parse(c.CheckpointURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !server.IsLoopback(u.Host)) {
		bad.add("checkpointURL", "not a URL that begins with https://, or with http:// and a loopback address")
	}
}

// checkpointKey reads the key, and gives nil where there is none.
func (c *checkpointConfig) checkpointKey(s *settings) (*journal.CheckpointKey, error) {
	if c.CheckpointKey == "" {
		return nil, nil //nolint:nilnil // no key is no error
	}
	text, err := readPrivate(c.CheckpointKey)
	if err != nil {
		return nil, s.problem("checkpointKey", "%w", err)
	}
	key, err := journal.ParseCheckpointKey(text)
	if err != nil {
		return nil, s.problem("checkpointKey", "%s: %w", c.CheckpointKey, err)
	}
	return key, nil
}

// checkpointer gives who signs checkpoints of a log, nil where there is no key.
// It has compared the log with the last one; where that does not fit the
// server starts, and is not ready.
func (c *config) checkpointer(ctx context.Context, p *program, log *journal.Log, logger *slog.Logger) (*journal.Checkpointer, error) {
	key, err := c.checkpointKey(p.settings)
	if err != nil || key == nil {
		return nil, err
	}
	config := journal.CheckpointerConfig{
		Store: log.Store, Size: func() int64 { return log.State().Size }, Key: key, File: c.CheckpointFile,
		URL: c.CheckpointURL, Broken: log.Break, Log: logger,
	}
	if !c.Dev { // where a person looks on
		config.Out = p.stdout
	}
	signer := journal.NewCheckpointer(config)
	if err := signer.Check(ctx); err != nil && signer.Ready(ctx) == nil {
		return nil, p.settings.problem("checkpointFile", "%w", err)
	}
	return signer, nil
}

const maxPrivate = 64 << 10 // bytes of a private key's file

// readPrivate reads a file that holds a private key. It refuses one that
// everybody on the machine may read or write: a signature under such a key
// proves nothing, and the file is easily mended. Its group may read it, since
// that is how orchestrators mount secrets.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// Windows has no such bits.
	if mode := info.Mode().Perm(); mode&0o027 != 0 && runtime.GOOS != "windows" {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("others than its owner may read or write it; run chmod 600 on it, and make a new key if they may have")}
	}
	return io.ReadAll(io.LimitReader(f, maxPrivate))
}

// lastNote gives the note that a file has, the largest of many.
func lastNote(notes []journal.Note) journal.Note {
	var last journal.Note
	for _, n := range notes {
		if n.Size > last.Size {
			last = n
		}
	}
	return last
}

// readNotes reads a file of notes.
func readNotes(path string, v *journal.Verifier) ([]journal.Note, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, journal.MaxNotes+1))
	if err != nil {
		return nil, err
	}
	notes, err := v.Notes(string(text))
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return notes, nil
}
