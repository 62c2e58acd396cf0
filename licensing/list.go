package licensing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// list gives the page of q that args ask for. The question is what its cursors
// belong to; what the caller may see is part of it.
func list[T any](ctx context.Context, s *Service, question any, q storage.Query, args page.Args, decode func(*storage.Stored) (T, error)) (*page.Connection[T], error) {
	asked, err := json.Marshal(question)
	if err != nil {
		return nil, fmt.Errorf("licensing: encoding a question: %w", err)
	}
	first, place, err := args.Start(string(asked))
	if err != nil {
		return nil, err
	}
	q.First, q.After = first, storage.Place(place)
	found, err := s.store.List(ctx, q)
	if err != nil {
		return nil, err
	}
	nodes := make([]T, 0, len(found.Records))
	for _, stored := range found.Records {
		node, err := decode(stored)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return page.New(string(asked), nodes, string(found.End), found.More), nil
}
