package journal

import _ "embed"

//go:embed events.json
var schema []byte

// Schema gives events.json: a JSON Schema of what the data of each type says.
func Schema() []byte { return schema }
