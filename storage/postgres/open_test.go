package postgres_test

import (
	"testing"
)

func TestReadyOnceMigrated(t *testing.T) {
	s := open(t, database(t))
	if err := s.Ready(t.Context()); err == nil {
		t.Fatal("ready")
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
