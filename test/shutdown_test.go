package test_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// What a server has read it answers, whenever it is told to end: the answers
// that its log counts are those that the callers got.
func TestAShutdownUnderLoadAnswersAll(t *testing.T) {
	openSources(t)
	dir := t.TempDir()
	server, err := start(dir, os.Environ(), "serve", "--dev", "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.kill)
	probes, err := server.probes()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(probes + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("/readyz: %s", answer.Status)
	}
	token, err := os.ReadFile(dir + "/data/admin-token")
	if err != nil {
		t.Fatal(err)
	}

	const callers, warm = 32, 200
	var answered atomic.Int64
	loaded := make(chan struct{})
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			for n := 0; ; n++ {
				query := fmt.Sprintf(`{"query":"mutation { issueLicense(input: {plan: \"acme/professional\", idempotencyKey: \"%d-%d\"}) { key } }"}`, i, n)
				status, body, err := post(server.URL+"/graphql", strings.TrimSpace(string(token)), []byte(query))
				if err != nil {
					return // it takes no more
				}
				if status != http.StatusOK || !strings.HasPrefix(string(body), `{"data":{"issueLicense":{"key":"ACME-`) {
					t.Errorf("%d %s", status, body)
				}
				if answered.Add(1) == warm {
					close(loaded)
				}
			}
		})
	}
	select {
	case <-loaded:
	case <-server.ended:
		t.Fatalf("the server ended before its callers had %d answers: %v\n%s", warm, server.err, server.Stderr)
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	calling.Wait()
	if logged := requests(server.Stderr.String()); logged != answered.Load() {
		t.Errorf("the server answered %d requests, and the callers got %d answers", logged, answered.Load())
	}
}

// requests counts the answers in a log.
func requests(log string) (n int64) {
	for lines := bufio.NewScanner(strings.NewReader(log)); lines.Scan(); {
		if strings.Contains(lines.Text(), " msg=request ") {
			n++
		}
	}
	return n
}
