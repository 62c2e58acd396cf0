package resolvers

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql/executor"
)

// ExecutorOf gives what parses and runs the documents of a handler.
func ExecutorOf(h http.Handler) *executor.Executor { return h.(endpoint).exec }
