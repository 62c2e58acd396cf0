#!/usr/bin/env bash
# Runs every check of the repository, stops at the first that fails, and says
# at the end what ran. "long" runs the tests and fuzz targets alone, with many
# more rounds; "lint" the linter alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PWD/.tools/node/node_modules/.bin:$PATH:/usr/local/go/bin # Node.js is there if Debian's is too old

# Counts, not seconds: at the end of a -fuzztime in seconds Go's coordinator
# may report its own deadline as a failure (go.dev/issue/75804).
fuzz_runs=${FUZZ_RUNS:-20000x}
shorter_runs=1000x # to make an input shorter; by itself Go takes a minute for each

# Begun first, so that none of them is waited for alone at the end.
longest=(./storage/mongodb ./test ./storage/sqlite ./storage/postgres)

other_modules=(tools tools/mongotest)

scratch=$(mktemp -d)
current='' # the step that runs now
ran=() not_run=()
result='0 passed, 1 failed' # the last line; a step that stops the run counts as one failure
note=''                     # what a step adds to its line of the summary

main() {
	trap finish EXIT
	case ${1:-all} in
	all)
		step set-up bash scripts/setup.sh
		step gofmt check_gofmt
		step 'go mod tidy' go mod tidy -diff
		step generate check_generated
		step vet check_vet
		step tools build_tools
		step lint check_lint
		step test run_tests 30m
		step fuzz run_fuzz
		step govulncheck check_vulnerabilities
		not_run+=('the long run: make test-long')
		;;
	long)
		export KEYWRIGHT_LONG=1
		fuzz_runs=${FUZZ_RUNS:-1000000x}
		step set-up bash scripts/setup.sh
		step web bash scripts/web.sh
		step tools build_tools
		step test run_tests 150m "${RAPID_CHECKS:-1000}"
		step fuzz run_fuzz
		;;
	lint)
		step tools build_tools
		step lint check_lint
		result='lint passed'
		;;
	*)
		echo "unknown argument $1: none, long or lint" >&2
		exit 2
		;;
	esac
}

step() { # step NAME COMMAND...
	local started=$SECONDS
	current=$1 note=''
	shift
	echo "== $current"
	"$@"
	[[ $note == NOT\ RUN* ]] || ran+=("$(printf '%-12s %4d s%s' "$current" $((SECONDS - started)) "${note:+   $note}")")
	current=''
}

finish() {
	local status=$?
	if [[ -s $scratch/report ]]; then
		result=$(head -n 1 "$scratch/report")
		mapfile -t -O "${#not_run[@]}" not_run < <(tail -n +2 "$scratch/report")
	fi
	rm -rf "$scratch"
	echo
	echo 'what ran:'
	((${#ran[@]} == 0)) || printf '  %s\n' "${ran[@]}"
	((${#not_run[@]} == 0)) || printf '%s\n' 'what did not:' "${not_run[@]/#/  }"
	if ((status != 0)); then
		echo "FAILED in the step: ${current:-start}"
		# The tests may have passed, and a later step failed.
		[[ $result != *', 0 failed' ]] || result=${result/%0 failed/1 failed}
	fi
	echo "$result"
}

check_gofmt() {
	local files
	files=$(gofmt -l .)
	[[ -z $files ]] || { gofmt -d . && echo 'not formatted; run: make fmt' && return 1; }
}

# Compares with what was there before, not with git: a tree with changes that
# are not yet committed passes as long as what is generated is up to date.
check_generated() {
	copy_generated "$scratch/before"
	go generate ./...
	copy_generated "$scratch/after"
	[[ ! -e graph/unbound_gen.go ]] ||
		{ echo 'graph/unbound_gen.go: a type of the schema is bound to no Go type' && return 1; }
	diff -ruN "$scratch/before" "$scratch/after" || { echo 'generated files were out of date' && return 1; }
	note="$(find "$scratch/after" -type f | wc -l) files"
	[[ $note != '0 files' ]] || { echo 'no generated file was found' && return 1; }
}

copy_generated() { # copy_generated DIRECTORY
	mkdir "$1"
	{ grep -rlE --include='*.go' --include='*.ts' --include='*.md' --exclude-dir=node_modules \
		'^(//|<!--) Code generated .* DO NOT EDIT\.( -->)?$' -- * || true; } |
		xargs -r cp --parents -t "$1"
}

check_vet() {
	local module
	for module in . "${other_modules[@]}"; do
		go -C "$module" vet ./...
	done
}

# Builds the pinned tools of tools/go.mod, and the server that stands in for
# MongoDB, into .tools/bin.
build_tools() {
	note='built before'
	build tools tool ./testreport
	build tools/mongotest .
}

build() { # build MODULE PACKAGE...: unless it was built from the same before
	local module=$1 built=.tools/built-${1//\//-} wanted
	shift
	wanted=$(find "$module" -name '*.go' -o -name 'go.???' | sort | xargs cat <(go version) | sha256sum)
	[[ $(cat "$built" 2>/dev/null) != "$wanted" ]] || return 0
	note=''
	mkdir -p .tools/bin
	go -C "$module" build -buildvcs=false -trimpath -ldflags='-s -w' -o "$PWD/.tools/bin/" "$@"
	echo "$wanted" >"$built"
}

check_lint() {
	local module linter=$PWD/.tools/bin/golangci-lint
	for module in . "${other_modules[@]}"; do
		(cd "$module" && "$linter" run ./...)
	done
}

run_tests() { # run_tests TIMEOUT [CHECKS]
	go_tests "$@" | .tools/bin/testreport "$scratch/report"
	note=$(head -n 1 "$scratch/report")
}

# Rapid takes the number of its checks by a flag, which packages without it
# refuse. Files that say !race are run without the race detector.
go_tests() { # go_tests TIMEOUT [CHECKS]
	local packages with_rapid file names module status=0
	if [[ -z ${2:-} ]]; then
		go test -race -timeout "$1" -json "${longest[@]}" ./... || status=1
	else
		packages=$(go list ./...)
		with_rapid=$(go list -test -f '{{range .Deps}}{{if eq . "pgregory.net/rapid"}}{{$.ImportPath}}{{end}}{{end}}' ./... |
			sed -n 's/\.test$//p')
		[[ -n $with_rapid ]] || { echo 'no package with property tests was found' >&2 && return 1; }
		# shellcheck disable=SC2086 # lists of packages
		go test -race -timeout "$1" -json $with_rapid -rapid.checks="$2" || status=1
		# shellcheck disable=SC2046
		go test -race -timeout "$1" -json $(grep -vxF "$with_rapid" <<<"$packages") || status=1
	fi
	while read -r file; do
		names=$(sed -n 's/^func \(Test[A-Za-z0-9_]*\).*/\1/p' "$file" | paste -sd '|')
		go test -timeout "$1" -json -run "^($names)\$" "./$(dirname "$file")" || status=1
	done < <(grep -rl --include='*_test.go' '^//go:build !race$' -- *)
	for module in "${other_modules[@]}"; do
		go -C "$module" test -json ./... || status=1
	done
	return $status
}

run_fuzz() {
	local targets=0 file name
	while IFS=: read -r file name; do
		echo "$file $name"
		go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzz_runs" -fuzzminimizetime "$shorter_runs" "./$(dirname "$file")" >"$scratch/fuzz" 2>&1 ||
			{ cat "$scratch/fuzz" && return 1; }
		targets=$((targets + 1))
	done < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' -- * | sed 's/:func /:/')
	note="$targets targets, $fuzz_runs each"
	((targets > 0)) || { echo 'no fuzz target was found' && return 1; }
}

check_vulnerabilities() {
	local status=0
	timeout 300 .tools/bin/govulncheck ./... >"$scratch/vulnerabilities" 2>&1 || status=$?
	((status != 0)) || return 0
	cat "$scratch/vulnerabilities"
	# 3 is govulncheck's own "found some".
	((status != 3)) && grep -q 'fetching vulnerabilities' "$scratch/vulnerabilities" || return 1
	note='NOT RUN (its database cannot be reached)'
	not_run+=("govulncheck: $note")
	[[ ${KEYWRIGHT_REQUIRE_VULNCHECK:-} != 1 ]]
}

main "$@"
