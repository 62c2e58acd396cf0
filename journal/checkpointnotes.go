package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The bounds of what is read as notes.
const (
	maxNote  = 16 << 10 // bytes, with signatures of others
	MaxNotes = 64 << 20 // bytes of many, such as a day's log
)

// Checkpoint reads a note that the key has signed.
func (v *Verifier) Checkpoint(signed string) (Checkpoint, error) {
	if len(signed) > maxNote {
		return Checkpoint{}, fmt.Errorf("the note has more than %d bytes", maxNote)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(v))
	var foreign *note.UnverifiedNoteError
	switch {
	case errors.As(err, &foreign):
		return Checkpoint{}, errors.New("the note is not signed by the verifier key")
	case err != nil:
		return Checkpoint{}, errors.New("the note is damaged, or its signature is wrong")
	}
	return parseCheckpoint(opened.Text)
}

// Note is a checkpoint with the note that says it.
type Note struct {
	Checkpoint
	Text string
}

// Notes reads one or more notes that the key has signed: one behind the other,
// or lines as a server writes them to its standard output,
// {"checkpoint":"..."}.
func (v *Verifier) Notes(text string) ([]Note, error) {
	if len(text) > MaxNotes {
		return nil, fmt.Errorf("there are more than %d bytes of notes", MaxNotes)
	}
	texts, err := splitNotes(text)
	if err != nil {
		return nil, err
	}
	var notes []Note
	for i, one := range texts {
		c, err := v.Checkpoint(one)
		if err != nil && len(texts) > 1 {
			err = fmt.Errorf("note %d of %d: %w", i+1, len(texts), err)
		}
		if err != nil {
			return nil, err
		}
		notes = append(notes, Note{c, one})
	}
	if len(notes) == 0 {
		return nil, errors.New("there is no note")
	}
	return notes, nil
}

// signatureMark begins a line that signs a note.
const signatureMark = "— "

// splitNotes parts notes behind the signatures of each.
func splitNotes(text string) ([]string, error) {
	var notes []string
	var open strings.Builder
	signed := false
	end := func() {
		if open.Len() > 0 {
			notes = append(notes, open.String())
		}
		open.Reset()
		signed = false
	}
	for line := range strings.Lines(text) {
		mark := strings.HasPrefix(line, signatureMark)
		if signed && !mark {
			end()
		}
		switch {
		case open.Len() == 0 && strings.TrimSpace(line) == "":
		case open.Len() == 0 && line[0] == '{':
			var of noteLine
			if err := json.Unmarshal([]byte(line), &of); err != nil || strings.TrimSpace(of.Checkpoint) == "" {
				return nil, errors.New(`a line that begins with { is not {"checkpoint":"..."}`)
			}
			notes = append(notes, of.Checkpoint)
		default:
			open.WriteString(line)
			signed = mark
		}
	}
	end()
	return notes, nil
}

// noteLine is a note as a line of a server's standard output.
type noteLine struct {
	Checkpoint string `json:"checkpoint"`
}
