package sqlite

// The write-ahead log is bounded in two steps. A goroutine beside the writer
// copies it into the database whenever so many of its pages wait, so that no
// commit waits for that. But the log can begin anew only when no reader needs
// it, which under constant reading never happens by itself; so once it is
// long the writer stands still: new readers then need the database alone, and
// when the last of the old ones has ended the log begins at its head again. It
// does so in its turn: another process that writes is kept out like a reader,
// for as long.
const (
	// Pages of the log that wait to be copied. While they are, fsync is slow:
	// with fewer at a time a lone caller meets that in more than one commit of
	// a hundred, with more many callers meet it for longer.
	copyAfter = 4_000

	// Pages of the log, and again after so many more where a reader stayed too
	// long.
	restartAfter = 32_000

	// How long the writer stands still for a reader, in milliseconds.
	restartPatience = "100"
)

// checkpointer is the one goroutine of this process that copies the log.
type checkpointer struct {
	conn  *conn
	copy  chan struct{}      // holds one: a request while one waits says nothing new
	anew  chan chan struct{} // closed when tried
	ended chan struct{}
}

func newCheckpointer(c *conn) *checkpointer {
	return &checkpointer{
		conn: c, copy: make(chan struct{}, 1), anew: make(chan chan struct{}), ended: make(chan struct{}),
	}
}

// run serves until copy is closed. What fails is tried again after a later
// commit.
func (c *checkpointer) run() {
	defer close(c.ended)
	for {
		select {
		case _, open := <-c.copy:
			if !open {
				return
			}
			_, _, _ = logState(c.conn, "PASSIVE")
		case tried := <-c.anew:
			_, _, _ = logState(c.conn, "RESTART")
			close(tried)
		}
	}
}

// logState runs a checkpoint of a mode and gives the pages in the log and
// those of them that are copied.
func logState(c *conn, mode string) (pages, copied int64, err error) {
	row, _, err := c.one("PRAGMA wal_checkpoint(" + mode + ")")
	if err != nil {
		return 0, 0, err
	}
	return number(row[1]), number(row[2]), nil
}

// keepLogShort is called between two transactions.
func (w *writer) keepLogShort() {
	pages, copied, err := logState(w.conn, "NOOP")
	if err != nil {
		return
	}
	if pages-copied >= w.copyAfter {
		select {
		case w.checkpoints.copy <- struct{}{}:
		default:
		}
	}
	if pages < w.restartAfter {
		w.restartAt = w.restartAfter
	} else if pages >= w.restartAt {
		w.restartAt = pages + w.restartAfter
		_ = w.turn.take(func() error {
			tried := make(chan struct{})
			w.checkpoints.anew <- tried
			<-tried
			return nil
		})
	}
}
