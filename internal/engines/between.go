package engines

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
)

// Proxy stands between clients and a server and does to their connections what
// it is told. Its methods may be called while there are clients, and by one
// goroutine at a time; faults add up until Heal.
type Proxy struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// Between gives a proxy before the server at an address, until the test ends.
func Between(t testing.TB, address string) *Proxy {
	t.Helper()
	toxics.Register("lose_answers", new(loseAnswers)) // anew is fine
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := &Proxy{t: t, proxy: toxiproxy.NewProxy(server, "between", "127.0.0.1:0", address)}
	if err := p.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.proxy.Stop)
	return p
}

// Address is where it listens, after a cut too.
func (p *Proxy) Address() string { return p.proxy.Listen }

// In gives the URL with the proxy for its server.
func (p *Proxy) In(databaseURL string) string {
	p.t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		p.t.Fatal("the URL of the database does not parse") // the error would show it
	}
	u.Host = p.Address()
	return u.String()
}

// Cut closes all connections and refuses others.
func (p *Proxy) Cut() { p.proxy.Stop() }

// Delay has every answer come that much later.
func (p *Proxy) Delay(by time.Duration) {
	p.t.Helper()
	p.add("latency", "downstream", &toxics.LatencyToxic{Latency: by.Milliseconds()})
}

// BlackHole lets nothing through any more, and lets nobody know.
func (p *Proxy) BlackHole() {
	p.t.Helper()
	p.add("timeout", "upstream", &toxics.TimeoutToxic{})
	p.add("timeout", "downstream", &toxics.TimeoutToxic{})
}

// Reset ends each connection at the next bytes of an answer, those that are yet
// to be made by a reset.
func (p *Proxy) Reset() {
	p.t.Helper()
	p.add("reset_peer", "downstream", &toxics.ResetToxic{})
}

// CutAfter ends each connection after so many more bytes of answers.
func (p *Proxy) CutAfter(size int64) {
	p.t.Helper()
	p.add("limit_data", "downstream", &toxics.LimitDataToxic{Bytes: size})
}

// LoseAnswers holds back the next answers in which these bytes are, so many,
// and ends the connection of each: what was asked is done, and who asked does
// not learn it. It gives what counts them.
func (p *Proxy) LoseAnswers(having string, times int64) (lost func() int64) {
	p.t.Helper()
	toxic := p.add("lose_answers", "downstream", &loseAnswers{Having: having, Times: times})
	return toxic.(*loseAnswers).count
}

// Heal ends all faults. Connections that a fault has taken hold of may end.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.proxy.Toxics.ResetToxics(p.t.Context())
	if err := p.proxy.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		p.t.Fatal(err)
	}
}

// add has a toxic made by its name and attributes, as toxiproxy will have it.
func (p *Proxy) add(kind, stream string, attributes toxics.Toxic) toxics.Toxic {
	p.t.Helper()
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		p.t.Fatal(err)
	}
	added, err := p.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic))
	if err != nil {
		p.t.Fatalf("%s: %v", kind, err)
	}
	return added.Toxic
}
