package test_test

import (
	"os"
	"path/filepath"
	"testing"
)

// urlFile is in a data directory whose records are kept elsewhere.
const urlFile = "storage-url"

// keptIn gives a data directory whose records are kept in the database of a
// URL.
func keptIn(t *testing.T, url string) (data string) {
	t.Helper()
	data = t.TempDir()
	keepIn(t, data, url)
	return data
}

// keepIn has the next servers of a data directory keep its records there.
func keepIn(t *testing.T, data, url string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(data, urlFile), []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
}

// engineOf gives the URL of a data directory's database, empty where that is
// the directory's own file.
func engineOf(data string) string {
	url, _ := os.ReadFile(filepath.Join(data, urlFile)) // most have none
	return string(url)
}
