package postgres

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// gone is how long nothing may come back of what was sent before a connection
// is given up: from a server whose machine has lost its power nothing does. Who
// calls without a deadline would else wait for a quarter of an hour, and a
// statement that Gets share would keep the others from their turn. A server that
// is at work is not meant: its machine answers for it.
const gone = 20 * time.Second

// notice has the connections of a pool notice silence within a time.
func notice(config *pgxpool.Config, silence time.Duration) {
	dialer := &net.Dialer{
		Timeout:         config.ConnConfig.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silence / 2, Interval: silence / 4, Count: 2},
		Control:         unanswered(silence),
	}
	config.ConnConfig.DialFunc = dialer.DialContext
}
