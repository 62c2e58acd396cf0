#!/usr/bin/env bash
# Builds the page at /graphiql from server/graphiql/app, with the Node.js that
# its lock pins (of Linux on x86-64), and fails where that is not what was there
# before: then what is there now is to be committed. package.json names the
# bundler's native part, of the bundler's own version, because an npm that runs
# by an older Node.js leaves that out as an optional package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../server/graphiql/app"

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -r ../assets "$before/assets"

if ! cmp -s package-lock.json node_modules/.installed; then
	npm ci --ignore-scripts --loglevel=error >/dev/null
	cp package-lock.json node_modules/.installed
fi
PATH=$PWD/node_modules/.bin:$PATH npm run --silent build
diff -rq "$before/assets" ../assets || { echo 'server/graphiql/assets were out of date; commit what they are now' && exit 1; }
