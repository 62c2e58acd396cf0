package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"

	"github.com/keywright/keywright/server"
	"github.com/keywright/keywright/storage"
)

type serveCommand struct {
	config `embed:""`
}

// Run serves until ctx ends. Then what is in flight ends first, the last
// counts are written down after it, and the storage is closed last.
func (c *serveCommand) Run(ctx context.Context, p *program) (err error) {
	if err := c.check(p.settings); err != nil {
		return err
	}
	log := c.logger(p)
	var dev *devHome
	if c.Dev {
		if dev, err = openDevHome(c.Data); err != nil {
			return err
		}
	}
	secrets, err := c.secrets(p.settings)
	if err != nil {
		return err
	}
	certificate, err := c.certificate(p.settings)
	if err != nil {
		return err
	}
	store, err := c.openStore(ctx, p.settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	authenticate := dev.authenticate()
	rooms, err := c.wire(store, secrets, authenticate, log)
	if err != nil {
		return err
	}
	if rooms.signer, err = c.checkpointer(ctx, p, rooms.journal, log); err != nil {
		return err
	}
	if dev != nil {
		if err := makeDemo(ctx, rooms.licensing); err != nil {
			return err
		}
	}
	public, ops, err := c.listen(ctx, p.settings)
	if err != nil {
		return err
	}
	c.greet(p.stdout, public, ops, dev)
	if dev == nil {
		log.WarnContext(ctx, "no logins are configured: until they are, only the fields that are @public answer")
	}
	if rooms.signer == nil {
		log.WarnContext(ctx, "no checkpointKey is configured: that the journal was changed behind the server's back cannot be shown")
	}
	front := server.New(c.front(rooms, authenticate, certificate, log))
	defer rooms.run(ctx)()
	return front.Run(ctx, public, ops)
}

// logger makes the log: text for the person who tries things with --dev, JSON
// for everything else.
func (c *config) logger(p *program) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.level()}
	var handler slog.Handler = slog.NewJSONHandler(p.stderr, options)
	if c.Dev {
		handler = slog.NewTextHandler(p.stderr, options)
	}
	return slog.New(server.LogHandler(handler))
}

// certificate reads the TLS files, and gives nil where there are none.
func (c *config) certificate(s *settings) (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, s.problem("tlsCert", "cannot be used with tlsKey: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// openStore opens the storage, and with --dev brings its schema up to date.
func (c *config) openStore(ctx context.Context, s *settings) (storage.Store, error) {
	store, err := stores().Open(ctx, c.Storage)
	if err != nil {
		return nil, s.problem("storage", "%w", err)
	}
	if c.Dev {
		err = store.Migrate(ctx)
	}
	if err == nil {
		err = ready(ctx, store)
	}
	if err != nil {
		return nil, errors.Join(s.problem("storage", "%w", err), store.Close())
	}
	return store, nil
}

func (c *config) listen(ctx context.Context, s *settings) (public, ops net.Listener, err error) {
	var one net.ListenConfig
	public, err = one.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, nil, s.problem("listen", "%w", err)
	}
	if c.OpsListen == off {
		return public, nil, nil
	}
	ops, err = one.Listen(ctx, "tcp", c.OpsListen)
	if err != nil {
		return nil, nil, errors.Join(s.problem("opsListen", "%w", err), public.Close())
	}
	return public, ops, nil
}

func (c *config) front(r *rooms, authenticate server.Authenticate, certificate *tls.Config, log *slog.Logger) server.Config {
	front := server.Config{
		GraphQL: r.graphql, EndStreams: r.streams.End, Ready: r.ready, Clock: r.store.Clock, Authenticate: authenticate,
		Log: log, Dev: c.Dev, TLS: certificate,
	}
	front.TrustedProxies, _ = c.proxies() // checked
	return front
}
