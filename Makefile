# What people run. The work is done by scripts/test.sh and by the go command.

# Go's own installer leaves /usr/local/go/bin out of PATH.
export PATH := $(PATH):/usr/local/go/bin

.PHONY: run build test test-long bench bench-storage bench-storage-long generate web lint fmt

# Arguments go in ARGS: make run ARGS='--listen 127.0.0.1:9000'
run: build
	bin/keywright serve --dev $(ARGS)

build:
	@command -v go >/dev/null || { echo 'Go is missing: see https://go.dev/doc/install' >&2; exit 1; }
	go build -o bin/keywright ./cmd/keywright

# Everything that a change must pass; installs what Debian lacks.
test:
	@bash scripts/test.sh

# The same tests with many more rounds, up to an hour for each package.
test-long:
	@bash scripts/test.sh long

bench:
	go run ./internal/bench $(ARGS)

# What a server asks of each engine, with few licenses and with a million.
bench-storage:
	go run ./internal/bench -only engines -sizes 10000,1000000 $(ARGS)

# The same with ten million on SQLite and PostgreSQL: 40 GB of disk, and hours.
bench-storage-long:
	go run ./internal/bench -only engines -engine sqlite -sizes 10000,10000000 $(ARGS)
	go run ./internal/bench -only engines -engine postgres -sizes 10000,10000000 $(ARGS)

generate:
	go generate ./...

# Builds the page at /graphiql anew, and fails if it was out of date. It takes a
# minute and 430 MB of packages, so make test does without: it compares the
# digests of the page's sources with those that it was built from. make
# test-long builds it.
web:
	@bash scripts/web.sh

lint:
	@bash scripts/test.sh lint

fmt:
	gofmt -w .
