package test_test

import (
	"io"
	"net/http"
	"testing"
)

// Storage is asked for its schema and for its clock.
func TestAServerOnItsStorageIsReady(t *testing.T) {
	openSources(t)
	s, err := start("", devEnv(), append(devArgs(t.TempDir()), "--ops-listen=127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	probes, err := s.probes()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(probes + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || string(body) != "ready\n" || err != nil {
		t.Errorf("/readyz is %d %s, %v", answer.StatusCode, body, err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
