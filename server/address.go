package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// IsLoopback reports whether a host, with a port or without, is localhost or
// the literal of a loopback address.
func IsLoopback(host string) bool {
	if alone, _, err := net.SplitHostPort(host); err == nil {
		host = alone
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// clientOf gives the address of whoever sent r, the zero Addr where there is
// none. X-Forwarded-For is read from the right, and only past proxies that are
// trusted: what stands left of them is anybody's claim.
func (s *Server) clientOf(r *http.Request) netip.Addr {
	client := addressOf(r.RemoteAddr)
	claims := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, claim := range slices.Backward(claims) {
		claimed := addressOf(strings.TrimSpace(claim))
		if !claimed.IsValid() || !s.isProxy(client) {
			break
		}
		client = claimed
	}
	return client
}

// addressOf reads an address, with a port or without: proxies write both.
func addressOf(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		both, _ := netip.ParseAddrPort(text)
		addr = both.Addr()
	}
	return addr.Unmap().WithZone("") // a zone may be any text
}

func (s *Server) isProxy(addr netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
