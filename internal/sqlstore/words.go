package sqlstore

import "slices"

// WordSet is what the words of one record are found by: its product, by its
// number, and the words in byte order.
type WordSet struct {
	Product int64
	Words   []string
}

// Without gives the words that another set has not.
func (s WordSet) Without(other WordSet) []string {
	if s.Product != other.Product {
		return s.Words
	}
	var rest []string
	for _, word := range s.Words {
		if _, found := slices.BinarySearch(other.Words, word); !found {
			rest = append(rest, word)
		}
	}
	return rest
}
