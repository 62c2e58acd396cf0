// Package graph is the public contract: the schema, the code that gqlgen
// generates from it, and the scalars. Types of the schema are Go types of the
// same name in licensing, validation and license; gqlgen.yml lists those of
// another name.
package graph

import "embed"

//go:generate go tool gqlgen generate

// Schema holds the schema's source, for tools and tests.
//
//go:embed schema/*.graphqls
var Schema embed.FS

// Root stands for the values of Query, Mutation and Subscription, which have
// none.
type Root struct{}
