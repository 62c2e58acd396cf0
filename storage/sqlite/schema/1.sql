-- Times are milliseconds since 1970 in UTC. Text is compared byte for byte.

-- Products' and plans' ids, which stand in every license, as small numbers.
-- Rows are only ever added.
CREATE TABLE name (
	number INTEGER PRIMARY KEY,
	text   TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO name VALUES (0, '');

-- The states of records, likewise, and few: a list without a state is a merge
-- of one scan for each.
CREATE TABLE state (
	number INTEGER PRIMARY KEY,
	text   TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO state VALUES (0, ''), (1, 'deleted');

CREATE TABLE record (
	row                  INTEGER PRIMARY KEY, -- breaks ties between equal times
	id                   TEXT NOT NULL,
	kind                 TEXT NOT NULL,
	version              INTEGER NOT NULL,
	revision             INTEGER NOT NULL,
	attempt              TEXT NOT NULL,
	product              INTEGER NOT NULL,
	plan                 INTEGER NOT NULL,
	state                INTEGER NOT NULL,
	created              INTEGER NOT NULL, -- -2^62: none, older than all
	starts               INTEGER,
	ends                 INTEGER NOT NULL, -- 2^62: none, later than all
	due                  INTEGER,
	external_id          TEXT,
	customer_email       TEXT,
	customer_external_id TEXT,
	words                TEXT, -- see words.go
	done                 TEXT,
	body                 TEXT NOT NULL
) STRICT;

-- Get, Commit, Touch, usage.
CREATE UNIQUE INDEX record_id ON record (id);

-- Licenses in either order of creation: all of a state, with one product,
-- with one plan. Lists without a state merge the states.
CREATE INDEX license_created ON record (state, created) WHERE kind = 'license';
CREATE INDEX license_product_created ON record (product, state, created) WHERE kind = 'license';
CREATE INDEX license_plan_created ON record (plan, state, created) WHERE kind = 'license';

-- Licenses that end soonest, likewise. The start is there so that OpenAt
-- passes over a scheduled license without reading it.
CREATE INDEX license_ends ON record (state, ends, row, starts) WHERE kind = 'license';
CREATE INDEX license_product_ends ON record (product, state, ends, row, starts) WHERE kind = 'license';
CREATE INDEX license_plan_ends ON record (plan, state, ends, row, starts) WHERE kind = 'license';

-- Licenses by the vendor's and the customer's own names, in either order of
-- creation.
CREATE INDEX license_external_id ON record (external_id, created)
	WHERE kind = 'license' AND external_id IS NOT NULL;
CREATE INDEX license_customer_email ON record (customer_email, created)
	WHERE kind = 'license' AND customer_email IS NOT NULL;
CREATE INDEX license_customer_external_id ON record (customer_external_id, created)
	WHERE kind = 'license' AND customer_external_id IS NOT NULL;

-- All other kinds in either order of creation, and with one product.
CREATE INDEX other_created ON record (kind, created) WHERE kind <> 'license';
CREATE INDEX other_product_created ON record (kind, product, created) WHERE kind <> 'license';

-- What falls due soonest, of a kind.
CREATE INDEX license_due ON record (due) WHERE kind = 'license' AND due IS NOT NULL;
CREATE INDEX other_due ON record (kind, due) WHERE kind <> 'license' AND due IS NOT NULL;

-- Sweep; 1 is the state deleted.
CREATE INDEX record_deleted ON record (due) WHERE state = 1;

-- Search, in the order of its answer. Words are taken out by what the record
-- says that they are: no index leads from a record to them.
CREATE TABLE word (
	product INTEGER NOT NULL,
	text    TEXT NOT NULL,
	row     INTEGER NOT NULL,
	PRIMARY KEY (product, text, row DESC)
) STRICT, WITHOUT ROWID;

CREATE TABLE seat (
	row   INTEGER NOT NULL,
	id    TEXT NOT NULL,
	lease INTEGER,
	seen  INTEGER,
	body  TEXT NOT NULL,
	PRIMARY KEY (row, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE total (
	row   INTEGER PRIMARY KEY,
	count INTEGER NOT NULL,
	last  INTEGER
) STRICT;

CREATE TABLE day (
	row     INTEGER NOT NULL,
	day     TEXT NOT NULL,
	valid   INTEGER NOT NULL,
	invalid INTEGER NOT NULL,
	counts  TEXT,
	PRIMARY KEY (row, day)
) STRICT, WITHOUT ROWID;

-- Entries that no block holds, as far as is known here.
CREATE TABLE pending (
	place INTEGER PRIMARY KEY, -- the order of the commits
	row   INTEGER NOT NULL,
	id    TEXT NOT NULL,
	entry BLOB NOT NULL -- see entry.go
) STRICT;

-- Settle.
CREATE INDEX pending_id ON pending (id);

-- Sweep: a record with pending entries stays.
CREATE INDEX pending_row ON pending (row);

-- The log: runs of entries, whatever block they are of. Only the last row ever
-- grows; see chunk.go.
CREATE TABLE chunk (
	first INTEGER PRIMARY KEY, -- the index of its first entry
	next  INTEGER NOT NULL, -- the index behind its last
	block INTEGER NOT NULL, -- where the block begins that its first entry is of
	at    INTEGER NOT NULL, -- when that block was made
	data  BLOB NOT NULL
) STRICT;

-- Entries from a time on, or before one.
CREATE INDEX chunk_at ON chunk (at);

-- Which chunks hold an entry of a type, a product, an actor or a subject; see
-- tags.go.
CREATE TABLE tag (
	hash  INTEGER NOT NULL,
	chunk INTEGER NOT NULL,
	PRIMARY KEY (hash, chunk)
) STRICT, WITHOUT ROWID;
