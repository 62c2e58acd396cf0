package journal

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// CheckpointerConfig is what a Checkpointer is made of. Store and Key are
// needed.
type CheckpointerConfig struct {
	Store storage.Journal
	// Size gives how many entries the log has, as far as is known. Run needs
	// it, and asks it often, so it must not ask storage.
	Size func() int64
	Key  *CheckpointKey
	// File keeps the last note. The log must continue it before another is
	// signed. Where several servers share it, each goes on from the others'.
	// Without one, the log must continue what this Checkpointer has signed. A log
	// that was restored goes on from it unless entries that it has seen are gone.
	File string
	// Out, if not nil, is written a line for each note, {"checkpoint":"..."}.
	Out io.Writer
	// URL, if not empty, is sent each note by POST, as text/plain. One that
	// fails is not sent again, as the next note says more.
	URL    string
	Client *http.Client // of URL; PostClient() if nil
	// Every and Entries say when to sign: once there is something new and so
	// long has passed since the last note, or once there are so many new
	// entries. 10 s and 1,000 if zero.
	Every   time.Duration
	Entries int64
	// Broken, if not nil, is called once the log does not continue the last
	// note, with what is wrong.
	Broken func(reason string)
	Log    *slog.Logger // discarded if nil
}

// Checkpointer signs checkpoints of a log as it grows. It reads what is new
// itself and makes the tree of it, so that it signs nothing that does not
// continue what it signed before. Once the log does not, it never signs again.
type Checkpointer struct {
	CheckpointerConfig
	signing sync.Mutex // held while a note is made, and guards epoch
	epoch   int64      // that the log is in; 0 before that is known

	stateMu sync.Mutex // guards what follows
	last    Note       // none where the size is 0
	broken  error
}

// How long things may take, and how often the log's size is looked at.
const (
	lookEvery  = 250 * time.Millisecond
	lastWithin = 5 * time.Second
)

// NewCheckpointer makes a Checkpointer. It has looked at nothing yet.
func NewCheckpointer(c CheckpointerConfig) *Checkpointer {
	if c.Every == 0 {
		c.Every = 10 * time.Second
	}
	if c.Entries == 0 {
		c.Entries = 1000
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Checkpointer{CheckpointerConfig: c}
}

// Check compares the log with the last note, and fails as Ready does. It is
// for the start, before anything is signed.
func (c *Checkpointer) Check(ctx context.Context) error {
	c.signing.Lock()
	defer c.signing.Unlock()
	last, err := c.previous()
	if err == nil && last.Size > 0 {
		_, err = walkFrom(ctx, c.Store, last.Checkpoint)
	}
	if err == nil {
		err = c.lookAtEpoch(ctx)
	}
	return c.settle(ctx, err)
}

// lookAtEpoch remembers the epoch that the log is in.
func (c *Checkpointer) lookAtEpoch(ctx context.Context) error {
	last, err := c.Store.Blocks(ctx, storage.LastBlock, 1)
	if err != nil || len(last) == 0 {
		return err
	}
	h, err := readHead(last[0])
	if err != nil {
		return badHead(last[0], err)
	}
	return c.stay(h.Epoch)
}

// stay fails with a Finding once the log is in another epoch than it was in at
// first: whoever restored the storage under a server starts that anew.
func (c *Checkpointer) stay(epoch int64) error {
	if c.epoch == 0 {
		c.epoch = epoch
	}
	if c.epoch != epoch {
		return found(Nowhere, "the log is in epoch %d, and was in epoch %d: the storage was restored while this server ran, which must be started anew", epoch, c.epoch)
	}
	return nil
}

// Run signs until ctx ends, and then once more what is new. It waits for what
// it has begun.
func (c *Checkpointer) Run(ctx context.Context) {
	post := c.poster(ctx)
	defer post.end()
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	var tried time.Time // never: the first is signed at once
	failed := false
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWithin)
			defer cancel()
			_ = c.sign(ctx, post) // said in the log
			return
		case <-ticks.C:
		}
		fresh := c.Size() - c.lastSigned().Size
		if fresh > 0 && (fresh >= c.Entries && !failed || time.Since(tried) >= c.Every) {
			tried, failed = time.Now(), c.sign(ctx, post) != nil
		}
	}
}

// SignNow signs what is new, if anything is, writes it to the file and to Out,
// and gives the last note, empty where the log is. Errors: those of Ready, and Unavailable.
func (c *Checkpointer) SignNow(ctx context.Context) (note string, err error) {
	if err := c.sign(ctx, nil); err != nil {
		return "", err
	}
	return c.Latest(), nil
}

// Latest gives the last note, empty before the first.
func (c *Checkpointer) Latest() string { return c.lastSigned().Text }

func (c *Checkpointer) lastSigned() Note {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	return c.last
}

// Ready fails with Unavailable once the log does not continue the last note.
func (c *Checkpointer) Ready(context.Context) error {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	return c.broken
}

// sign makes one note, if there is anything new, and hands it on.
func (c *Checkpointer) sign(ctx context.Context, post *poster) error {
	c.signing.Lock()
	defer c.signing.Unlock()
	if err := c.Ready(ctx); err != nil {
		return err
	}
	last, err := c.previous()
	if err != nil {
		return c.settle(ctx, err)
	}
	w, err := walkFrom(ctx, c.Store, last.Checkpoint)
	if err == nil {
		err = w.toEnd(ctx, c.Store)
	}
	if err != nil {
		return c.settle(ctx, err)
	}
	if w.tree.size == last.Size {
		return c.settle(ctx, nil)
	}
	if err := c.stay(w.epoch); err != nil {
		return c.settle(ctx, err)
	}
	next := Note{Checkpoint: w.checkpoint()}
	if next.Text, err = c.Key.Note(next.Checkpoint); err == nil && c.File != "" {
		err = writeNote(c.File, next.Text)
	}
	if err != nil {
		return c.settle(ctx, fault.Wrap(fault.Unavailable, err, "the checkpoint cannot be written to its file"))
	}
	c.took(next)
	if c.Out != nil {
		err = writeLine(c.Out, next.Text)
	}
	post.send(next.Text)
	return c.settle(ctx, err)
}

func (c *Checkpointer) took(n Note) {
	c.stateMu.Lock()
	defer c.stateMu.Unlock()
	c.last = n
}

// previous gives the last note that is known: that of the file, or of this
// process where the file was lost.
func (c *Checkpointer) previous() (Note, error) {
	last := c.lastSigned()
	if c.File == "" {
		return last, nil
	}
	text, err := readNote(c.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return last, nil
	case err != nil:
		return Note{}, err
	}
	at, err := c.Key.Verifier().Checkpoint(text)
	if err != nil {
		return Note{}, &Finding{Index: Nowhere, Problem: "the file of the last checkpoint holds none that checkpointKey has signed: " + err.Error()}
	}
	if at.Size > last.Size {
		last = Note{at, text}
		c.took(last)
	}
	return last, nil
}

// settle logs an error, and remembers one that ends the signing.
func (c *Checkpointer) settle(ctx context.Context, err error) error {
	var broken *Finding
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case !errors.As(err, &broken):
		c.Log.WarnContext(ctx, "no checkpoint could be made", "error", err)
		return err
	}
	unready := fault.Wrap(fault.Unavailable, err,
		"the journal does not continue its last checkpoint: it was changed behind this server's back. Nothing is signed any more; run keywright journal verify")
	c.Log.ErrorContext(ctx, "the journal does not continue its last checkpoint; nothing is signed any more", "error", err, "checkpointFile", c.File)
	c.stateMu.Lock()
	c.broken = unready
	c.stateMu.Unlock()
	if c.Broken != nil {
		c.Broken(broken.Error())
	}
	return unready
}

// walkFrom gives the walk that stands at a checkpoint, which may be none. It
// fails with a Finding where the log does not go that way.
func walkFrom(ctx context.Context, store storage.Journal, from Checkpoint) (*walk, error) {
	w, err := walkAt(ctx, store, from.Size)
	if f := (*Finding)(nil); errors.As(err, &f) {
		return nil, from.restoredSince(ctx, store, err)
	}
	if err != nil || from.Size == 0 {
		return w, err
	}
	if err := from.sameLog(w.log); err != nil {
		return nil, err
	}
	if w.epoch != from.Epoch || w.tree.root() != from.Root {
		return nil, from.restoredSince(ctx, store,
			found(Nowhere, "the log was rewritten before entry %d: the checkpoint at %d entries has another root", from.Size, from.Size))
	}
	return w, nil
}

// restoredSince gives what is wrong with a log that does not continue the
// checkpoint, and what to do about it where the log says that it was restored.
func (c Checkpoint) restoredSince(ctx context.Context, store storage.Journal, wrong error) error {
	err := lossOf(ctx, store, c)
	var loss *Finding
	switch {
	case err == nil:
		return wrong
	case !errors.As(err, &loss):
		return err
	}
	return found(loss.Index, "%s. If that was done on purpose, move checkpointFile away and start the server anew", loss.Problem)
}

// toEnd goes on to the end of the log.
func (w *walk) toEnd(ctx context.Context, store storage.Journal) error {
	for b, err := range blocksFrom(ctx, store, w.tree.size) {
		if err == nil {
			err = w.next(b, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
