package main

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
)

// greet says where the server listens and, with --dev, what to do there.
func (c *config) greet(to io.Writer, public, ops net.Listener, dev *devHome) {
	scheme := "http"
	if c.TLSCert != "" {
		scheme = "https"
	}
	url := scheme + "://" + public.Addr().String()
	fmt.Fprintf(to, "Keywright listens on %s\n", url)
	if ops != nil {
		fmt.Fprintf(to, "Probes: http://%[1]s/healthz http://%[1]s/readyz\n", ops.Addr())
	}
	if dev == nil {
		return
	}
	fmt.Fprintf(to, `Admin token: %s
Data: %s
GraphiQL: %[3]s/graphiql

Issue a license, and keep its key:

  KEY=$(curl -s %[3]s/graphql -H @%[4]s -H 'Content-Type: application/json' \
    -d '{"query":"mutation { issueLicense(input: {plan: \"%[5]s/%[6]s\"}) { key license { id } } }"}' \
    | sed -n 's/.*"key":"\([^"]*\)".*/\1/p'); echo "$KEY"

Validate it, as a program in the field does:

  curl -s %[3]s/graphql -H 'Content-Type: application/json' \
    -d '{"query":"query($key: String!) { validate(input: {key: $key, product: \"%[5]s\"}) { valid code goodUntil license { planCode expiresAt } } }",
         "variables":{"key":"'"$KEY"'"}}'

`, dev.token, dev.dir, url, shellWord(dev.header), demoProduct, demoPlan)
}

// shellWord gives a word that a POSIX shell reads as text.
func shellWord(text string) string {
	if regexp.MustCompile(`^[\w./+-]+$`).MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
