package storagetest

import (
	"context"
	"fmt"

	"github.com/keywright/keywright/storage"
)

// searchesOf gives searches for what few licenses have, what many and what all
// of them have, in all products, in one and in several. Each is for many
// words, so that no figure is of one page of the file alone.
func searchesOf(ctx context.Context, s storage.Store, size int, wanted func(name string) bool) ([]Operation, error) {
	var all []Operation
	for _, word := range []struct {
		name   string
		prefix func(n int) string
	}{
		{"an address", func(n int) string { return LicenseIndex(n).CustomerEmail[:10] }},
		{"a first name", func(n int) string { return loadName(n)[:3] }},
		{"what all have", func(n int) string { return LicenseIndex(n).ExternalID[:3] }},
	} {
		for _, scope := range []struct {
			name     string
			products func(n int) []string
		}{
			{"", func(int) []string { return nil }},
			{" of a product", func(n int) []string { return []string{LicenseIndex(n).Product} }},
			{" of three products", func(n int) []string {
				return []string{loadID("prd", n%loadProducts), loadID("prd", (n+1)%loadProducts), loadID("prd", (n+2)%loadProducts)}
			}},
		} {
			name := "search: " + word.name + scope.name
			if !wanted(name) {
				continue
			}
			o, err := searchOperation(ctx, s, name, func(run int) storage.SearchQuery {
				n := spread(run, size)
				return storage.SearchQuery{Kind: storage.License, Prefix: word.prefix(n), Products: scope.products(n), First: 50}
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", word.name, err)
			}
			all = append(all, o)
		}
	}
	return all, nil
}

func searchOperation(ctx context.Context, s storage.Store, name string, query func(run int) storage.SearchQuery) (Operation, error) {
	records := 0
	for run := range variants {
		found, err := s.Search(ctx, query(run))
		if err != nil {
			return Operation{}, err
		}
		records += len(found)
	}
	return Operation{
		Name: name, Callers: 1, Records: float64(records) / variants,
		Run: func(ctx context.Context, run int) error {
			_, err := s.Search(ctx, query(run))
			return err
		},
	}, nil
}
