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

// clientOf gives the address of whoever sent r. X-Forwarded-For is read from
// the right, and only past proxies that are trusted: what stands left of them
// is anybody's claim.
func (s *Server) clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	claims := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, claim := range slices.Backward(claims) {
		claim = strings.TrimSpace(claim)
		if _, err := netip.ParseAddr(claim); err != nil || !s.isProxy(host) {
			break
		}
		host = claim
	}
	return host
}

func (s *Server) isProxy(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}
