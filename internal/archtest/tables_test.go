// Package archtest holds the shape of the repository: which room may import
// which, and where each dependency has its one place. What is to change is
// changed here, where it is seen. There is no code but tests.
package archtest_test

const module = "github.com/keywright/keywright"

// anything stands for every room, drivers included.
const anything = "*"

// room is a row of the table: a package and all below it that has no row of
// its own, and the rooms it may import. It may also import what stands in its
// own room and, unless it may import nothing of ours at all, the leaf.
type room struct {
	path    string
	imports string
}

var rooms = []room{
	{"cmd/keywright", anything},
	{"server", "resolvers rest console licensing validation authz actor fault"},
	{"console", ""},
	{"resolvers", "graph licensing validation webhook authz license actor page fault"},
	{"rest", "graph licensing validation webhook authz license actor page fault"},
	{"graph", "licensing validation webhook license actor page fault"},
	{"webhook", "licensing journal storage secret actor page fault"},
	{"validation", "licensing journal storage signer secret authz license actor page fault"},
	{"licensing", "journal storage signer authz secret license actor page fault"},
	{"authz", "actor page fault"},
	{"journal", "storage secret actor page fault"},
	{"dump", "journal storage fault"},
	{"storage", "page fault internal/openurl"},
	{"storage/sqlite", "storage page fault internal/openurl internal/sqlstore"},
	{"storage/postgres", "storage page fault internal/openurl internal/sqlstore"},
	{"storage/mongodb", "storage page fault internal/openurl"},
	{"signer", "fault internal/openurl"},
	{"license", "actor fault"},
	{"license/key", ""}, // programs in the field use these two
	{"license/token", ""},
	{"secret", "fault"},
	{"actor", "fault"},
	{"page", "fault"},
	{"fault", "fault"},
	{leaf, ""},
	{"internal/openurl", "fault"},
	{"internal/sqlstore", "storage page fault"},
	{"internal/engines", ""},
	{"internal/bench", anything},
	{"test", anything},
}

// leaf is at hand in every room.
const leaf = "internal/id"

// What stands below one of these implements it. Commands wire such packages
// and suites test them; no other package may know which there are.
var driven = []string{"storage", "signer", "authz"}

// dependency is a module of others, or a package of one, and the rooms that
// may import it.
type dependency struct {
	path  string
	rooms string
}

var dependencies = []dependency{
	{"modernc.org/sqlite", "storage/sqlite"},
	{"github.com/gofrs/flock", "storage/sqlite"},
	{"github.com/jackc/pgx/v5", "storage/postgres internal/engines"},
	{"github.com/pressly/goose/v3", "storage/postgres"},
	{"go.mongodb.org/mongo-driver/v2", "storage/mongodb internal/engines"},
	{"github.com/Shopify/toxiproxy/v2", "internal/engines"},
	{"github.com/rs/zerolog", "internal/engines"},
	{"github.com/klauspost/compress", "storage/sqlite internal/sqlstore"},
	{"github.com/99designs/gqlgen", "graph resolvers"},
	{"github.com/vektah/gqlparser/v2", "graph resolvers"},
	{"github.com/alecthomas/kong", "cmd/keywright"},
	{"go.yaml.in/yaml/v3", "cmd/keywright"},
	{"github.com/schollz/progressbar/v3", "cmd/keywright"},
	{"golang.org/x/term", "cmd/keywright"},
	{"golang.org/x/net/idna", "license"},
	{"golang.org/x/text/unicode/norm", "license"},
	{"golang.org/x/sync/singleflight", "licensing"},
	{"golang.org/x/sync/errgroup", "licensing validation internal/bench"},
	{"github.com/gowebpki/jcs", "journal"},
	{"golang.org/x/mod/sumdb", "journal"},
	{"github.com/santhosh-tekuri/jsonschema/v6", "journal/journaltest"},
	{"github.com/HdrHistogram/hdrhistogram-go", "storage/storagetest internal/bench"},
	{"github.com/coder/websocket", "resolvers/wire"},
	{"github.com/anishathalye/porcupine", "storage/storagetest"},
	{"github.com/google/go-cmp", "storage/storagetest"},
	{"pgregory.net/rapid", "storage/storagetest"},
}

// longest bounds the lines of a file, and says that its package has it.
var longest = map[string]int{"cmd/keywright/main.go": 40}
