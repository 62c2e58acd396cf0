#!/usr/bin/env bash
# Brings a Debian machine to where the tests run: it installs what is missing
# as root, and names it to anyone else. Go itself is left to the caller. Where
# Node.js is older than the tests need, as that of Debian 12 is, npm puts another
# into .tools/node. Then it installs the packages of Node.js that the tests run.
# All that npm installs is of the versions and digests of its lock.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.tools/node/node_modules/.bin:$PATH:/usr/local/go/bin

has_postgresql() { # has_postgresql PROGRAM: of 15 or later
	local home
	for home in /usr/lib/postgresql/*; do
		[[ ! -x $home/bin/$1 ]] || ((${home##*/} < 15)) || return 0
	done
	return 1
}

node_is_new() {
	node -e 'const [major, minor] = process.versions.node.split(".").map(Number)
		process.exit(major > 20 || major === 20 && minor >= 19 ? 0 : 1)' 2>/dev/null
}

# install_packages_of DIRECTORY brings its node_modules to its lock.
install_packages_of() (
	cd "$1"
	cmp -s package-lock.json node_modules/.installed && exit
	npm ci --ignore-scripts --loglevel=error >/dev/null
	cp package-lock.json node_modules/.installed
)

# other_node_is_old holds where scripts/node asks for another than there is.
other_node_is_old() { [[ -e .tools/node ]] && ! cmp -s {scripts,.tools}/node/package-lock.json; }

# install_node puts the Node.js of scripts/node, which npm has as a package, into
# .tools/node. The npm that does it runs by the system's.
install_node() {
	rm -rf .tools/node
	mkdir -p .tools/node
	cp scripts/node/package*.json .tools/node/
	hash -r
	echo "installing another Node.js beside $(node --version), into .tools/node"
	install_packages_of .tools/node
	node_is_new || { echo "npm has no Node.js for $(uname -m); install 20.19 or later" >&2 && return 1; }
}

apt() { apt-get -o DPkg::Lock::Timeout=300 "$@"; }

# install_packages PACKAGE... lets Debian make no database of its own, nor start
# its servers: those that tests run are children of the tests.
install_packages() {
	apt update || return
	if [[ " $* " == *' postgresql-15 '* ]]; then
		apt install -y --no-install-recommends postgresql-common &&
			sed -i 's/^#\?create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf || return
	fi
	apt install -y --no-install-recommends "$@" || return
	if [[ " $* " == *' pgbouncer '* && -d /run/systemd/system ]]; then
		systemctl disable --now --quiet pgbouncer
	fi
}

missing=()
need() { # need PACKAGE COMMAND...: the package, if the command fails
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

need make command -v make
need git command -v git
need curl command -v curl
need gcc command -v gcc
need nodejs command -v node
need npm command -v npm
need libc6-dev test -e /usr/include/stdlib.h # the race detector needs cgo
need ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
need postgresql-15 has_postgresql postgres # tests run servers of their own
need postgresql-client-15 has_postgresql pg_basebackup
need pgbouncer test -x /usr/sbin/pgbouncer

if ((${#missing[@]})); then
	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		echo "These Debian packages are missing; install them as root: ${missing[*]}" >&2
		exit 1
	fi
	echo "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if ! install_packages "${missing[@]}" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		exit 1
	fi
fi

if ! node_is_new || other_node_is_old; then
	install_node
fi

if ! command -v go >/dev/null; then
	echo "Go is missing; install $(grep '^go ' go.mod) or later: https://go.dev/doc/install" >&2
	exit 1
fi
go list -m >/dev/null # refuses a Go older than go.mod's

for packages in test/npm test/typescript; do
	install_packages_of "$packages"
done
