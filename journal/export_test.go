package journal

// What makes the canonical form of JSON.
var (
	Canonical = canonical
	SortPlain = sortPlain
)
