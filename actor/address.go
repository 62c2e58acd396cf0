package actor

import (
	"context"
	"net/netip"
)

type addressKey struct{}

// WithAddress gives a context in which somebody calls from a network address.
func WithAddress(ctx context.Context, from netip.Addr) context.Context {
	return context.WithValue(ctx, addressKey{}, from)
}

// AddressFrom gives the network address that is called from in ctx: the zero
// Addr where the call came over no network. It says where a caller is, never
// who.
func AddressFrom(ctx context.Context) netip.Addr {
	from, _ := ctx.Value(addressKey{}).(netip.Addr)
	return from
}
