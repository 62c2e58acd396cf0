package postgres

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/openurl"
)

// What holds where the URL does not say.
const (
	connectTimeout = 5 * time.Second
	maxConnections = 16
)

// params gives the parameters that a URL may have.
func params() []string {
	return []string{
		"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslsni", "sslnegotiation", "channel_binding",
		"passfile", "application_name", "connect_timeout", "target_session_attrs", "search_path",
		"pool_max_conns", "pool_min_conns", "pool_min_idle_conns", "pool_max_conn_lifetime",
		"pool_max_conn_lifetime_jitter", "pool_max_conn_idle_time", "pool_health_check_period", "pool_ping_timeout",
		"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity",
	}
}

// configOf reads a URL. No error tells any part of it but parameters' names:
// pgx quotes what it cannot read, which may be a password in the wrong place.
func configOf(u *url.URL) (*pgxpool.Config, error) {
	if u.Opaque != "" || u.Fragment != "" || strings.Count(u.Path, "/") > 1 {
		return nil, errors.New("a postgres URL is postgres://user:password@host:port/database, or with several hosts, and has no fragment")
	}
	if err := openurl.Params(u, params()...); err != nil {
		return nil, err
	}
	query := u.Query()
	if !query.Has("target_session_attrs") { // a read of a standby may miss a commit that has returned
		query.Set("target_session_attrs", "read-write")
	}
	known := *u
	known.RawQuery = query.Encode()
	config, err := pgxpool.ParseConfig(known.String())
	if err != nil {
		return nil, errors.New("the postgres URL has a host, a port or a parameter's value that cannot be used")
	}
	config.ConnConfig.RuntimeParams["client_encoding"] = encoding
	if !query.Has("pool_max_conns") {
		config.MaxConns = maxConnections
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	notice(config, gone)
	if config.PingTimeout == 0 {
		config.PingTimeout = connectTimeout
	}
	return config, nil
}
