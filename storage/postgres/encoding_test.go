package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage/postgres"
)

func TestADatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	for _, encoding := range []string{"LATIN1", "SQL_ASCII"} {
		u := databaseOf(t, encoding)
		for through, at := range map[string]*url.URL{"PostgreSQL": u, "PgBouncer": parse(t, engines.PgBouncer(t, u.String()))} {
			s := open(t, at)
			for call, err := range map[string]error{"Ready": s.Ready(t.Context()), "Migrate": s.Migrate(t.Context())} {
				if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, encoding) {
					t.Errorf("%s through %s: %s says %v", encoding, through, call, err)
				}
			}
		}
	}
}

// databaseOf gives an empty database of an encoding.
func databaseOf(t *testing.T, encoding string) *url.URL {
	t.Helper()
	u := database(t)
	s, name := open(t, u), strings.TrimPrefix(u.Path, "/")+"_"+strings.ToLower(encoding)
	execute(t, s, "CREATE DATABASE "+name+" TEMPLATE template0 LOCALE 'C' ENCODING '"+encoding+"'")
	t.Cleanup(func() {
		if err := postgres.Exec(context.WithoutCancel(t.Context()), s, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	other := *u
	other.Path = "/" + name
	return &other
}

// What a database or a role sets for its clients is not for this one.
func TestTextIsUTF8WhateverItsDatabaseSetsForClients(t *testing.T) {
	u := database(t)
	execute(t, migrated(t, u), "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET client_encoding = 'LATIN1'")
	c := license("lic_a")
	c.Record.Index.ExternalID = "Zoë"
	if err := open(t, u).Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	reader, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close(context.WithoutCancel(t.Context())) }()
	var characters int
	if err := reader.QueryRow(t.Context(), "SELECT length(external_id) FROM record").Scan(&characters); err != nil || characters != 3 {
		t.Errorf("Zoë is stored as %d characters, %v", characters, err)
	}
}
