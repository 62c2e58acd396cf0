package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/fault"
)

// encoding is that of all text: what is asked for of each connection, and what
// a database must have.
const encoding = "UTF8"

// refuseEncoding fails where a database cannot hold every text. A server says at
// the beginning of a connection which encoding it has.
func refuseEncoding(_ context.Context, c *pgx.Conn) error {
	if has := c.PgConn().ParameterStatus("server_encoding"); has != encoding {
		return fault.Errorf(fault.Unavailable, "storage is a database of the encoding %s and must be one of %s: "+
			"make another, by CREATE DATABASE with ENCODING '%[2]s' and TEMPLATE template0", has, encoding)
	}
	return nil
}
