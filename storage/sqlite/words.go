package sqlite

import (
	"database/sql/driver"
	"slices"
	"strings"

	"github.com/keywright/keywright/internal/sqlstore"
)

// A record keeps its words in its own row too, since what is taken out of the
// table word is found there by its text. Most are the record's id or stand in
// another column of the row already: for such a word there is one character,
// its place among these. The rest stand as they are, each on a line.

const (
	insertWord  = " (product, text, row) VALUES (?, ?, ?)"
	deleteWord  = "DELETE FROM word WHERE product = ? AND text = ? AND row = ?"
	selectWords = "SELECT product, id, external_id, customer_email, customer_external_id, words FROM record WHERE row = ?"
)

const (
	valuesOfWord = 3
	maxInserted  = 8 // words that one statement adds
)

// shared are the texts of a row that may be words as well.
type shared [4]string

// sharedWith takes the id, and the three columns of names in their order.
func sharedWith(id string, names []driver.Value) shared {
	return shared{id, text(names[0]), text(names[1]), text(names[2])}
}

// No word holds a control character, so these are none, and no part of one.
const (
	firstMark = '\x01'
	lastMark  = firstMark + rune(len(shared{})) - 1
)

func encodeWords(words []string, s shared) driver.Value {
	lines := make([]string, len(words))
	for i, word := range words {
		lines[i] = word
		if place := slices.Index(s[:], word); place >= 0 {
			lines[i] = string(firstMark + rune(place))
		}
	}
	return orNull(strings.Join(lines, "\n"))
}

func decodeWords(encoded driver.Value, s shared) []string {
	lines := text(encoded)
	if lines == "" {
		return nil
	}
	words := strings.Split(lines, "\n")
	for i, word := range words {
		if mark := rune(word[0]); mark >= firstMark && mark <= lastMark {
			words[i] = s[mark-firstMark]
		}
	}
	return words
}

// moveWords writes what differs between the words that a record had and those
// that it has.
func (w *writer) moveWords(row int64, was, is sqlstore.WordSet) error {
	for _, word := range was.Without(is) {
		if _, _, err := w.conn.exec(deleteWord, was.Product, word, row); err != nil {
			return err
		}
	}
	var added []driver.Value
	for _, word := range is.Without(was) {
		added = append(added, is.Product, word, row)
	}
	for some := range slices.Chunk(added, valuesOfWord*maxInserted) {
		if _, _, err := w.conn.exec(w.insertWords(len(some)/valuesOfWord), some...); err != nil {
			return err
		}
	}
	return nil
}

// insertWords gives the statement that adds so many words: one for all that a
// license has, as a rule, costs less than one for each.
func (w *writer) insertWords(count int) string {
	table := "INSERT INTO word"
	if w.held != nil {
		table = "INSERT INTO loaded"
	}
	return table + insertWord + strings.Repeat(", (?, ?, ?)", count-1)
}

// dropWords takes all words of a record out.
func (w *writer) dropWords(row driver.Value) error {
	stored, found, err := w.conn.one(selectWords, row)
	if err != nil || !found {
		return err
	}
	was := sqlstore.WordSet{Product: number(stored[0]), Words: decodeWords(stored[5], sharedWith(text(stored[1]), stored[2:5]))}
	return w.moveWords(number(row), was, sqlstore.WordSet{})
}
