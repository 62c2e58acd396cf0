package main_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	main "github.com/keywright/keywright/cmd/keywright"
)

const aSecret = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

// world is where a command runs. The files lie in the working directory.
type world struct {
	args    string
	environ []string
	files   map[string]string
}

func (w world) run(t *testing.T) (stdout string, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range w.files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, log bytes.Buffer
	err = main.Run(t.Context(), strings.Fields(w.args), w.environ, strings.NewReader(""), &out, &log)
	return out.String(), err
}

// inPlace runs a command in the directory as it is.
func inPlace(args string) error {
	return main.Run(context.Background(), strings.Fields(args), nil, nil, io.Discard, io.Discard)
}

// enough is a configuration that lacks nothing.
var enough = []string{"KEYWRIGHT_STORAGE=sqlite:x.db", "KEYWRIGHT_SECRETS=" + aSecret}

// refusal is a configuration that is wrong, and what is said of it.
type refusal struct {
	args    string
	environ []string
	file    string // config.yaml
	want    string
}

func refuse(t *testing.T, tests map[string]refusal) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := world{args: "config check " + test.args, environ: test.environ}
			if test.file != "" {
				w.files = map[string]string{"config.yaml": test.file}
				w.args += " --config=config.yaml"
			}
			stdout, err := w.run(t)
			if err == nil {
				t.Fatalf("no error, and %s", stdout)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAKeyThatThereIsNotIsRefusedByName(t *testing.T) {
	const keys = "checkpointFile, checkpointKey, checkpointURL, data, dev, eventPoll, expiryNotices, importedKeys, listen, logLevel, maxStaleness, maxStreams, opsListen, refresh, reveal, seatChangesPerHour, " +
		"secretFile, storage, subjectChangesPerHour, tlsCert, tlsKey, trustedProxies, unknownKeysPerMinute, unknownTextsPerMinute, verifier"
	refuse(t, map[string]refusal{
		"nothing at all": {"", nil, "",
			"secretFile: not set; name a file with a secret, made by (umask 077; openssl rand -hex 32 > FILE), or put one into KEYWRIGHT_SECRETS\n" +
				"storage: not set; name a database, such as sqlite:///var/lib/keywright/data.db or postgres://USER:PASSWORD@HOST/DATABASE"},
		"an unknown flag":     {"--lisen=:80", enough, "", `unknown flag --lisen, did you mean "--listen"?; see keywright config check --help`},
		"an unknown argument": {"now", enough, "", "unexpected argument now; see keywright config check --help"},
		"a key that is nearly one": {"", enough, "storage: sqlite:x.db\nopslisten: off\n",
			"opslisten (config.yaml:2): no such key; did you mean opsListen?"},
		"a key that is none":  {"", enough, "colour: red\n", "colour (config.yaml:1): no such key; there are " + keys},
		"the file in itself":  {"", enough, "config: x.yaml\n", "config (config.yaml:1): no such key; there are " + keys},
		"secrets in the file": {"", enough, "secrets: " + aSecret, "secrets (config.yaml:1): no such key; there are " + keys},
		"a variable that is nearly one": {"", append([]string{"KEYWRIGHT_LISTENS=:80"}, enough...), "",
			"KEYWRIGHT_LISTENS: no such variable; did you mean KEYWRIGHT_LISTEN?"},
	})
}

func TestWhatIsEmptyOrMisshapenIsRefusedByName(t *testing.T) {
	refuse(t, map[string]refusal{
		"an empty flag":      {"--listen=", enough, "", "listen (--listen): empty"},
		"an empty variable":  {"", append([]string{"KEYWRIGHT_LISTEN="}, enough...), "", "listen (KEYWRIGHT_LISTEN): empty"},
		"an empty key":       {"", enough, "listen:\n", "listen (config.yaml:1): empty"},
		"a null":             {"", enough, "listen: ~", "listen (config.yaml:1): empty"},
		"an empty text":      {"", enough, "\nlisten: ' '\n", "listen (config.yaml:2): empty"},
		"an empty list":      {"", enough, "trustedProxies: []", "trustedProxies (config.yaml:1): empty"},
		"an empty file name": {"--config=", enough, "", "config (--config): empty"},
		"an empty secret": {"", []string{"KEYWRIGHT_STORAGE=sqlite:x.db", "KEYWRIGHT_SECRETS="}, "",
			"KEYWRIGHT_SECRETS: there is no secret: it is a line of 64 hexadecimal digits"},

		"a list for a value": {"", enough, "listen: [a, b]", "listen (config.yaml:1): must be a single value"},
		"a map for a value":  {"", enough, "refresh:\n  after: x", "refresh (config.yaml:2): must be a single value"},
		"a list of lists":    {"", enough, "trustedProxies: [[a]]", "trustedProxies (config.yaml:1): must be a list of single values"},
		"no YAML":            {"", enough, "listen: [", "config (--config): not a YAML file of keys and values: yaml: line 1: did not find expected node content"},
		"a key twice": {"", enough, "dev: true\ndev: true\n",
			"config (--config): not a YAML file of keys and values: yaml: unmarshal errors:\n  line 2: mapping key \"dev\" already defined at line 1"},
		"two documents": {"", enough, "dev: true\n---\ndev: false\n", "config (--config): more than one YAML document"},
	})
}

func TestAValueThatMakesNoSenseIsRefusedByName(t *testing.T) {
	refuse(t, map[string]refusal{
		"a duration without a unit": {"", append([]string{"KEYWRIGHT_REFRESH=5"}, enough...), "",
			`refresh (KEYWRIGHT_REFRESH): expected duration but got "5": time: missing unit in duration "5"`},
		"a duration too short": {"--refresh=59s --max-staleness=999ms", enough, "",
			"maxStaleness (--max-staleness): must be at least 1s\nrefresh (--refresh): must be at least 1m"},
		"a poll too often":  {"--event-poll=99ms", enough, "", "eventPoll (--event-poll): must be from 100ms to 1m"},
		"a poll too seldom": {"", enough, "eventPoll: 61s", "eventPoll (config.yaml:1): must be from 100ms to 1m"},
		"neither true nor false": {"", enough, "dev: maybe",
			`dev (config.yaml:1): bool value must be true, 1, yes, false, 0 or no but got "maybe"`},
		"a word that is none of several": {"--reveal=never", enough, "importedKeys: true\n",
			`--reveal must be one of "keep","off" but got "never"; see keywright config check --help`},
		"and in the file": {"", enough, "importedKeys: true\n", "importedKeys (config.yaml:1): must be one of on, off"},

		"a limit that is none": {"", append([]string{"KEYWRIGHT_UNKNOWN_KEYS_PER_MINUTE=-1"}, enough...), "seatChangesPerHour: on\n",
			"unknownKeysPerMinute (KEYWRIGHT_UNKNOWN_KEYS_PER_MINUTE): must be a number from 1 to 1000000, or off\n" +
				"seatChangesPerHour (config.yaml:1): must be a number from 1 to 1000000, or off"},
		"a notice without its unit": {"--expiry-notices=14", enough, "",
			"--expiry-notices: must be days from 1d to 90d, or off; see keywright config check --help"},
		"a notice of no days": {"", append([]string{"KEYWRIGHT_EXPIRY_NOTICES=0d"}, enough...), "",
			"expiryNotices (KEYWRIGHT_EXPIRY_NOTICES): must be days from 1d to 90d, or off"},
		"a notice of too many": {"", enough, "expiryNotices: [7d, 91d]", "expiryNotices (config.yaml:1): must be days from 1d to 90d, or off"},
		"notices and off":      {"", enough, "expiryNotices: [7d, off]", "expiryNotices (config.yaml:1): names days and off; give either"},
		"a notice twice":       {"--expiry-notices=7d,1d,7d", enough, "", "expiryNotices (--expiry-notices): names the same days twice"},
		"too many notices": {"--expiry-notices=1d,2d,3d,4d,5d,6d,7d,8d,9d,10d,11d", enough, "",
			"expiryNotices (--expiry-notices): names 11 days, and may name 10"},

		"a limit too large": {"--unknown-texts-per-minute=1000001", enough, "",
			"--unknown-texts-per-minute: must be a number from 1 to 1000000, or off; see keywright config check --help"},

		"no port":         {"--listen=localhost", enough, "", "listen (--listen): must be an address with a port, such as 127.0.0.1:8080"},
		"a port's name":   {"--ops-listen=:http", enough, "", "opsListen (--ops-listen): must be an address with a port, such as 127.0.0.1:8080, or off"},
		"off loopback":    {"--listen=:80", enough, "", "listen (--listen): not a loopback address; that needs tlsCert and tlsKey, or trustedProxies that end TLS"},
		"half of TLS":     {"--tls-cert=x", enough, "", "tlsCert (--tls-cert): needs tlsKey, and tlsKey needs it"},
		"no such files":   {"--tls-cert=x --tls-key=y", enough, "", "tlsCert (--tls-cert): cannot be used with tlsKey: open x: no such file or directory"},
		"no such network": {"--trusted-proxies=10.0.0.0/8,proxy", enough, "", `trustedProxies (--trusted-proxies): "proxy" is not an address or a network such as 10.0.0.0/8`},

		"a key without a file": {"--checkpoint-key=x", enough, "",
			"checkpointFile: not set; checkpointKey needs a file that keeps the last checkpoint, such as /var/lib/keywright/checkpoint"},
		"a file without a key": {"", enough, "checkpointFile: x", "checkpointFile (config.yaml:1): needs checkpointKey"},
		"a URL without a key": {"", append([]string{"KEYWRIGHT_CHECKPOINT_URL=https://x"}, enough...), "",
			"checkpointURL (KEYWRIGHT_CHECKPOINT_URL): needs checkpointKey"},
		"checkpoints in the clear": {"--checkpoint-key=x --checkpoint-file=y --checkpoint-url=http://example.com/hunter2", enough, "",
			"checkpointURL (--checkpoint-url): not a URL that begins with https://, or with http:// and a loopback address"},
		"a URL without a host": {"--checkpoint-key=x --checkpoint-file=y --checkpoint-url=https:/x", enough, "",
			"checkpointURL (--checkpoint-url): not a URL that begins with https://, or with http:// and a loopback address"},
		"no such key": {"--checkpoint-key=x --checkpoint-file=y", enough, "", "checkpointKey (--checkpoint-key): open x: no such file or directory"},
		"a key that is none": {"--checkpoint-key=config.yaml --checkpoint-file=y", enough, "dev: false",
			"checkpointKey (--checkpoint-key): config.yaml: it must hold one private key in PEM, PKCS#8 and not encrypted, as openssl genpkey -algorithm ed25519 makes it"},

		"no such file of secrets": {"--secret-file=nowhere", enough[:1], "", "secretFile (--secret-file): open nowhere: no such file or directory"},
		"a file that is no secret": {"--secret-file=config.yaml", enough[:1], "dev: false",
			"secretFile (--secret-file): config.yaml: line 1 of the secrets is not 64 hexadecimal digits"},
		"secrets twice":         {"--secret-file=x", enough, "", "secretFile (--secret-file): contradicts KEYWRIGHT_SECRETS; give one of them"},
		"a storage that is not": {"--storage=mysql://root:hunter2@db/x", enough, "", "storage (--storage): not a URL that begins with mongodb: or mongodb+srv: or postgres: or postgresql: or sqlite:"},
		"a storage that is no URL": {"--storage=postgres://root:hunter2@db:port/x", enough, "",
			"storage (--storage): not a URL that begins with mongodb: or mongodb+srv: or postgres: or postgresql: or sqlite:"},
	})
}

func TestALimitOfZeroIsOff(t *testing.T) {
	got, err := world{args: "config check --unknown-keys-per-minute=0", environ: append([]string{"KEYWRIGHT_SUBJECT_CHANGES_PER_HOUR=off"}, enough...)}.run(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"unknownKeysPerMinute: \"off\" # --unknown-keys-per-minute\n",
		"subjectChangesPerHour: \"off\" # KEYWRIGHT_SUBJECT_CHANGES_PER_HOUR\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestNoticesMayBeOffOrAList(t *testing.T) {
	for file, want := range map[string]string{
		"expiryNotices: off":       "expiryNotices: [\"off\"] # c.yaml:1\n",
		"expiryNotices: [30d, 3d]": "expiryNotices: [30d, 3d] # c.yaml:1\n",
		"expiryNotices: 90d":       "expiryNotices: [90d] # c.yaml:1\n",
	} {
		got, err := world{args: "config check --config=c.yaml", environ: enough, files: map[string]string{"c.yaml": file}}.run(t)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %v, %s", file, err, got)
		}
	}
}

func TestContradictionsAreRefusedByName(t *testing.T) {
	refuse(t, map[string]refusal{
		"--dev to the world":   {"--dev --listen=0.0.0.0:80", nil, "", "listen (--listen): contradicts dev: a --dev server listens on a loopback address only"},
		"--dev behind a proxy": {"--dev --trusted-proxies=10.0.0.1", nil, "", "trustedProxies (--trusted-proxies): contradicts dev: a --dev server serves its own machine only"},
		"data without --dev":   {"--data=x", enough, "", "data (--data): contradicts dev: it is the directory of a --dev server, and this is none"},
		"no streams at all":    {"--max-streams=0", enough, "", "maxStreams (--max-streams): must be at least 1"},
		"all of them, in a list": {"--data=x --listen=:80 --refresh=1s", enough[1:], "", strings.Join([]string{
			"data (--data): contradicts dev: it is the directory of a --dev server, and this is none",
			"storage: not set; name a database, such as sqlite:///var/lib/keywright/data.db or postgres://USER:PASSWORD@HOST/DATABASE",
			"listen (--listen): not a loopback address; that needs tlsCert and tlsKey, or trustedProxies that end TLS",
			"refresh (--refresh): must be at least 1m",
		}, "\n")},
	})
}

func TestAFlagWinsOverAVariableOverTheFileOverTheDefault(t *testing.T) {
	file := map[string]string{"f.yaml": "storage: sqlite:file.db\nrefresh: 6m\nlogLevel: warn\nmaxStaleness: 3s\ntrustedProxies: [10.0.0.1, '::1']\nsubjectChangesPerHour: off\n"}
	w := world{
		args:    "config check --log-level=debug",
		environ: []string{"KEYWRIGHT_CONFIG=f.yaml", "KEYWRIGHT_REFRESH=7m", "KEYWRIGHT_LOG_LEVEL=error", "KEYWRIGHT_SECRETS=" + aSecret, "LISTEN=x"},
		files:   file,
	}
	got, err := w.run(t)
	if err != nil {
		t.Fatal(err)
	}
	const want = `# read from f.yaml (KEYWRIGHT_CONFIG)
# the secrets are in KEYWRIGHT_SECRETS
storage: sqlite:file.db # f.yaml:1
listen: 127.0.0.1:8080 # default
opsListen: 127.0.0.1:9090 # default
trustedProxies: [10.0.0.1, '::1'] # f.yaml:5
reveal: keep # default
importedKeys: "on" # default
maxStaleness: 3s # f.yaml:4
refresh: 7m0s # KEYWRIGHT_REFRESH
expiryNotices: [14d, 7d, 1d] # default
eventPoll: 1s # default
unknownKeysPerMinute: 10 # default
unknownTextsPerMinute: 1000 # default
seatChangesPerHour: 20 # default
subjectChangesPerHour: "off" # f.yaml:6
maxStreams: 10000 # default
logLevel: debug # --log-level
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsShownMakesTheSameConfiguration(t *testing.T) {
	starts := map[string]world{
		"--dev":    {args: "config check --dev --data=elsewhere"},
		"a server": {args: "config check --listen=:443 --trusted-proxies=10.0.0.1,::1 --imported-keys=off --ops-listen=off --reveal=off --unknown-keys-per-minute=off --seat-changes-per-hour=7 --expiry-notices=off", environ: enough},
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			first, err := start.run(t)
			if err != nil {
				t.Fatal(err)
			}
			again := world{args: "config check --config=shown.yaml", files: map[string]string{"shown.yaml": first}}
			if start.environ != nil {
				again.environ = start.environ[1:]
			}
			second, err := again.run(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(values(first), values(second)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// values takes the comments off.
func values(shown string) []string {
	var all []string
	for line := range strings.Lines(shown) {
		if value, _, _ := strings.Cut(line, " #"); !strings.HasPrefix(value, "#") {
			all = append(all, value)
		}
	}
	return all
}

func TestAPasswordIsNotShown(t *testing.T) {
	got, err := world{args: "config check --storage=sqlite://user:hunter2@host/x.db", environ: enough[1:]}.run(t)
	if err != nil || strings.Contains(got, "hunter2") || !strings.Contains(got, "storage: sqlite://user:xxxxx@host/x.db") {
		t.Errorf("%v: %s", err, got)
	}
	if strings.Contains(got, aSecret[:8]) {
		t.Errorf("the secret is shown: %s", got)
	}
	got, err = world{args: "config check --storage=postgres://user@host/x?sslkey=k&sslPassword=hunter2", environ: enough[1:]}.run(t)
	if err != nil || strings.Contains(got, "hunter2") || !strings.Contains(got, "storage: postgres://user@host/x?sslPassword=xxxxx&sslkey=k") {
		t.Errorf("%v: %s", err, got)
	}
}

func TestForeignVariablesPass(t *testing.T) {
	foreign := []string{"KEYWRIGHT_PORT=tcp://10.0.0.1:80", "KEYWRIGHT_SERVICE_HOST=10.0.0.1", "KEYWRIGHT_PORT_80_TCP_ADDR=10.0.0.1", "KEYWRIGHT_LONG=1"}
	foreign = append(foreign, "KEYWRIGHT_FROM=x", "KEYWRIGHT_RECORDS=x") // of no command, as they are said each time anew
	if _, err := (world{args: "config check", environ: append(foreign, enough...)}).run(t); err != nil {
		t.Error(err)
	}
}

func TestMigrateTakesTheFileThatServeTakes(t *testing.T) {
	w := world{args: "migrate --config=c.yaml", files: map[string]string{"c.yaml": "storage: sqlite:new.db\nlisten: ':80'\n"}}
	if _, err := w.run(t); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("new.db"); err != nil {
		t.Error(err)
	}
	w.files["c.yaml"] += "lisen: x\n"
	if _, err := w.run(t); err == nil || !strings.HasPrefix(err.Error(), "lisen (c.yaml:3)") {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestServeRefusesAStorageThatIsNotReady(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	_, err := world{args: "serve --listen=127.0.0.1:0 --ops-listen=off --storage=sqlite:" + path, environ: enough[1:]}.run(t)
	if err == nil || !strings.HasPrefix(err.Error(), "storage (--storage): ") || !strings.Contains(err.Error(), "run keywright migrate") {
		t.Errorf("serve: %v", err)
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range []string{"--help", "serve --help", "config --help", "config check -h", "journal --help", "journal verify --help"} {
		stdout, err := world{args: args}.run(t)
		if err != nil || !strings.HasPrefix(stdout, "Usage: keywright ") {
			t.Errorf("%s: %v\n%s", args, err, stdout)
		}
	}
	if stdout, _ := (world{args: "serve --help"}).run(t); !strings.Contains(stdout, "($KEYWRIGHT_OPS_LISTEN)") {
		t.Errorf("no variable is named:\n%s", stdout)
	}
	if stdout, _ := (world{args: "journal verify --help"}).run(t); strings.Contains(stdout, "KEYWRIGHT_RECORDS") || !strings.Contains(stdout, "KEYWRIGHT_CHECKPOINT_FILE") {
		t.Errorf("other variables are named:\n%s", stdout)
	}
}
