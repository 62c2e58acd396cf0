package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// readNote reads the note of a file. Errors: fs.ErrNotExist and others.
func readNote(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxNote+1))
	return string(text), err
}

// writeNote replaces a file by one that holds the note. After a crash there is
// the one or the other, whole.
func writeNote(path, note string) error {
	dir := filepath.Dir(path)
	part, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.WriteString(note)
	if err = errors.Join(err, part.Chmod(0o644), part.Sync(), part.Close()); err != nil { // a note is no secret
		return err
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename in a directory outlive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeLine writes a note as one line of JSON.
func writeLine(to io.Writer, note string) error {
	line, err := json.Marshal(noteLine{note})
	if err != nil {
		return err
	}
	_, err = to.Write(append(line, '\n'))
	return err
}

// PostWithin is how long a note may take to its URL.
const PostWithin = 10 * time.Second

// PostClient makes the client that sends notes: it follows no redirect.
func PostClient() *http.Client {
	return &http.Client{
		Timeout:       PostWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// poster sends notes to a URL, one at a time. A note that waits is replaced by
// the next.
type poster struct {
	url    string
	client *http.Client
	log    *slog.Logger
	next   chan string // holds one
	ended  chan struct{}
}

// poster begins to send, if there is a URL. Whoever calls it calls end.
func (c *Checkpointer) poster(ctx context.Context) *poster {
	if c.URL == "" {
		return nil
	}
	p := &poster{url: c.URL, client: c.Client, log: c.Log, next: make(chan string, 1), ended: make(chan struct{})}
	if p.client == nil {
		p.client = PostClient()
	}
	ctx = context.WithoutCancel(ctx) // the last note is made after ctx ended
	go func() {
		defer close(p.ended)
		for note := range p.next {
			if err := p.post(ctx, note); err != nil {
				p.log.WarnContext(ctx, "a checkpoint could not be sent to checkpointURL; the next is sent all the same", "error", err)
			}
		}
	}()
	return p
}

// send hands a note over and waits for nothing.
func (p *poster) send(note string) {
	if p == nil {
		return
	}
	select {
	case <-p.next: // an older one
	default:
	}
	p.next <- note
}

// end waits until the last note is sent or given up.
func (p *poster) end() {
	if p == nil {
		return
	}
	close(p.next)
	<-p.ended
}

// post sends one note. Its errors name the host alone: a path or a query may
// hold a secret.
func (p *poster) post(ctx context.Context, note string) error {
	ctx, cancel := context.WithTimeout(ctx, PostWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(note))
	if err != nil {
		return errors.New("it is not a URL")
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	response, err := p.client.Do(request)
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err // without the URL
	}
	if err != nil {
		return fmt.Errorf("%s: %w", request.URL.Hostname(), err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4<<10)) // so that the connection is kept
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %d", request.URL.Hostname(), response.StatusCode)
	}
	return nil
}
