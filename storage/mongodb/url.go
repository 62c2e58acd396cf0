package mongodb

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/openurl"
)

const (
	defaultDatabase = "keywright"
	defaultTimeout  = 30 * time.Second // of a call whose context has no deadline
	patience        = 5 * time.Second  // for cleaning up
)

// sharedParams are MongoDB's own and mean here what they mean everywhere.
func sharedParams() []string {
	return []string{
		"appName", "authMechanism", "authMechanismProperties", "authSource", "compressors", "connectTimeoutMS",
		"directConnection", "heartbeatFrequencyMS", "loadBalanced", "localThresholdMS", "maxConnecting", "maxIdleTimeMS",
		"maxPoolSize", "minPoolSize", "replicaSet", "retryReads", "serverMonitoringMode", "serverSelectionTimeoutMS",
		"srvMaxHosts", "srvServiceName", "timeoutMS", "tls", "tlsCAFile", "tlsCertificateKeyFile",
		"tlsCertificateKeyFilePassword", "zlibCompressionLevel", "zstdCompressionLevel",
	}
}

// ownParams are those of MongoDB's that this driver gives values of its own,
// and which values they may have. Writes are repeated by this driver itself,
// where that is harmless. Who takes another level than linearizable may be
// answered by a primary that was deposed and does not know.
func ownParams() map[string][]string {
	return map[string][]string{
		"journal":          {"true"},
		"readConcernLevel": {"linearizable", "majority", "local"},
		"readPreference":   {"primary"},
		"retryWrites":      {"false"},
		"w":                {"majority"},
	}
}

// settings are what a URL says.
type settings struct {
	*options.ClientOptions
	readConcern string
}

// read gives the name of the database and the settings of a URL. No error
// quotes it.
func read(u *url.URL) (string, settings, error) {
	none := settings{}
	name := cmp.Or(strings.TrimPrefix(u.Path, "/"), defaultDatabase)
	if u.Host == "" || u.Opaque != "" || u.Fragment != "" || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") || len(name) > 63 {
		return "", none, fault.Errorf(fault.InvalidInput, "a %s URL is %[1]s://host/database, with no fragment", u.Scheme)
	}
	own := ownParams()
	known := sharedParams()
	for param := range own {
		known = append(known, param)
	}
	if err := openurl.Params(u, known...); err != nil {
		return "", none, err
	}
	query := u.Query()
	for param, values := range query {
		allowed, restricted := own[param]
		if len(values) != 1 || restricted && !slices.Contains(allowed, values[0]) {
			return "", none, fault.Errorf(fault.InvalidInput, "the %s URL takes %s once, and %s", u.Scheme, param,
				cmp.Or(strings.Join(allowed, " or "), "not more often"))
		}
	}
	o := options.Client().SetAppName("keywright").SetTimeout(defaultTimeout).ApplyURI(u.String())
	err := o.Validate()
	if unknown := (*net.DNSError)(nil); errors.As(err, &unknown) { // of mongodb+srv, whose name leads to the servers'
		return "", none, fault.Wrap(fault.Unavailable, unknown, "storage cannot be opened")
	}
	if err != nil {
		return "", none, fault.Errorf(fault.InvalidInput, "the %s URL has a host or a parameter that is malformed, or leads nowhere", u.Scheme)
	}
	journaled := true
	o.SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journaled})
	o.SetReadPreference(readpref.Primary()).SetRetryWrites(false)
	o.ReadConcern = nil // each collection says its own
	return name, settings{o, query.Get("readConcernLevel")}, nil
}
