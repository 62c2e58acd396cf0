package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keywright/keywright/server"
)

// storageConfig is what every command that opens the storage is told.
type storageConfig struct {
	Config  string `placeholder:"FILE" help:"A YAML file with any of these keys, in the form opsListen."`
	Storage string `placeholder:"URL" help:"Where records are kept: sqlite:///var/lib/keywright/data.db or postgres://USER:PASSWORD@HOST/DATABASE. If it holds a password, put it into the file or the variable. With --dev by default keywright.db in the data directory."`
}

// config is all that serve is told. Each field is a flag (--ops-listen), a
// variable (KEYWRIGHT_OPS_LISTEN) and a key of the YAML file (opsListen); the
// first of them that is there counts. Secrets are in a file or in the variable
// KEYWRIGHT_SECRETS: other users of the machine may see flags.
type config struct {
	storageConfig `embed:""`

	secretConfig `embed:""`

	Listen         string   `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where the API is served, by default ${default}. Off loopback it needs TLS files or trusted proxies."`
	OpsListen      string   `placeholder:"ADDRESS" help:"Where /healthz and /readyz are served, or off. By default 127.0.0.1:9090, and with --dev off."`
	TLSCert        string   `placeholder:"FILE" help:"The server's certificate and those between it and the root, in PEM."`
	TLSKey         string   `placeholder:"FILE" help:"The certificate's private key, in PEM."`
	TrustedProxies []string `placeholder:"NETWORK" help:"Addresses or networks of proxies that end TLS and whose X-Forwarded-For is believed: 10.0.0.0/8,::1"`

	checkpointConfig `embed:""`
	CheckpointURL    string `placeholder:"URL" help:"Where each checkpoint is sent by POST, so that a copy lies where nobody who has the storage can reach it. If it holds a token, put it into the file or the variable."`

	Reveal       string        `default:"keep" enum:"keep,off" help:"keep seals a copy of each new key, so that staff can be shown it again; off keeps none."`
	ImportedKeys string        `default:"on" enum:"on,off" help:"on looks keys up that were made elsewhere; off spares that."`
	MaxStaleness time.Duration `default:"5s" help:"How old the data of a validation may be, at least 1s; by default ${default}."`
	Refresh      time.Duration `default:"5m" help:"When a program is told to validate again, at least 1m; by default ${default}."`

	ExpiryNotices []notice      `default:"14d,7d,1d" placeholder:"DAYS" help:"How long before its end a license is announced (license.expiring): at most ten of 1d to 90d, or off; by default ${default}."`
	EventPoll     time.Duration `default:"1s" help:"How often the events of other servers on this storage are looked for, 100ms to 1m; by default ${default}."`

	limitsConfig `embed:""`
	MaxStreams   int `default:"10000" placeholder:"N" help:"How many WebSockets and event streams may be open at once, a quarter of them without a credential; by default ${default}."`

	LogLevel string `default:"info" enum:"debug,info,warn,error" help:"The least level that is logged: ${enum}."`

	Dev  bool   `help:"A server to try things with, on loopback: its own data, secret and admin token, and a demo product."`
	Data string `default:"data" placeholder:"DIR" help:"The data directory of --dev, by default ./${default}."`
}

const off = "off"

// check fills in what follows from other keys, and names every key that is
// missing, makes no sense or contradicts another.
func (c *config) check(s *settings) error {
	bad := &problems{settings: s}
	c.checkDev(bad)
	if c.OpsListen == "" {
		c.OpsListen = "127.0.0.1:9090"
	}
	c.checkSecrets(bad)
	c.checkStorage(bad)
	c.checkCheckpoints(bad)
	c.checkListen(bad)
	if c.MaxStaleness < time.Second {
		bad.add("maxStaleness", "must be at least 1s")
	}
	if c.Refresh < time.Minute {
		bad.add("refresh", "must be at least 1m")
	}
	if _, err := c.notices(); err != nil {
		bad.add("expiryNotices", "%w", err)
	}
	if c.EventPoll < 100*time.Millisecond || c.EventPoll > time.Minute {
		bad.add("eventPoll", "must be from 100ms to 1m")
	}
	if c.MaxStreams < 1 {
		bad.add("maxStreams", "must be at least 1")
	}
	return bad.err()
}

func (c *config) checkDev(bad *problems) {
	if !c.Dev {
		if bad.set("data") {
			bad.add("data", "contradicts dev: it is the directory of a --dev server, and this is none")
		}
		return
	}
	if !server.IsLoopback(c.Listen) {
		bad.add("listen", "contradicts dev: a --dev server listens on a loopback address only")
	}
	if len(c.TrustedProxies) > 0 {
		bad.add("trustedProxies", "contradicts dev: a --dev server serves its own machine only")
	}
	if c.Storage == "" {
		c.Storage = sqliteURL(filepath.Join(c.Data, "keywright.db"))
	}
	if _, given := bad.variables[secretsVar]; !given && c.SecretFile == "" {
		c.SecretFile = filepath.Join(c.Data, "secret")
	}
	if c.CheckpointKey == "" {
		c.CheckpointKey = filepath.Join(c.Data, devCheckpointKey)
	}
	if c.CheckpointFile == "" {
		c.CheckpointFile = filepath.Join(c.Data, "checkpoint")
	}
	if c.OpsListen == "" {
		c.OpsListen = off
	}
}

func (c *storageConfig) checkStorage(bad *problems) {
	schemes := stores().Schemes()
	if c.Storage == "" {
		bad.add("storage", "not set; name a database, such as sqlite:///var/lib/keywright/data.db or postgres://USER:PASSWORD@HOST/DATABASE")
		return
	}
	// Not shown: it may hold a password.
	if u, err := url.Parse(c.Storage); err != nil || !slices.Contains(schemes, u.Scheme) {
		bad.add("storage", "not a URL that begins with %s:", strings.Join(schemes, ": or "))
	}
}

func (c *config) checkListen(bad *problems) {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		bad.add("tlsCert", "needs tlsKey, and tlsKey needs it")
	}
	if _, err := c.proxies(); err != nil {
		bad.add("trustedProxies", "%w", err)
	}
	if err := checkAddress(c.Listen); err != nil {
		bad.add("listen", "%w", err)
	} else if !server.IsLoopback(c.Listen) && !c.Dev && c.TLSCert == "" && len(c.TrustedProxies) == 0 {
		bad.add("listen", "not a loopback address; that needs tlsCert and tlsKey, or trustedProxies that end TLS")
	}
	if c.OpsListen == off {
		return
	}
	if err := checkAddress(c.OpsListen); err != nil {
		bad.add("opsListen", "%w, or off", err)
	}
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("must be an address with a port, such as 127.0.0.1:8080")
	}
	return nil
}

// proxies gives the networks of TrustedProxies.
func (c *config) proxies() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range c.TrustedProxies {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			addr, notAddr := netip.ParseAddr(text)
			if notAddr != nil {
				return nil, fmt.Errorf("%q is not an address or a network such as 10.0.0.0/8", text)
			}
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

func (c *config) level() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of the enum
	return level
}

// sqliteURL gives the URL of a file.
func sqliteURL(path string) string {
	u := &url.URL{Scheme: "sqlite", Path: filepath.ToSlash(path)}
	if !filepath.IsAbs(path) {
		u.Opaque, u.Path = u.EscapedPath(), ""
	}
	return u.String()
}
