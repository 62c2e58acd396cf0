package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keywright/keywright/storage"
)

// head is what a block says of the log up to its end. It lets whoever has one
// block go on with the tree, and tells which entry was changed where a block's
// entries do not make its tree.
type head struct {
	Log   string      `json:"log"`   // the log's id, log_ and 128 random bits, made with its first block
	Epoch int64       `json:"epoch"` // from 1; see Restoration
	Size  int64       `json:"size"`  // entries in the log, this block's included
	Edge  []tlog.Hash `json:"edge"`  // of the tree after them
	Sums  []byte      `json:"sums"`  // the first sumSize bytes of each entry's leaf hash
}

// sumSize is the length of a check sum in a head. It helps to find a bad entry
// and proves nothing: the tree does.
const sumSize = 4

func (h head) tree() tree { return tree{size: h.Size, edge: h.Edge} }

// headOf gives the head of a block that follows one with the head before; t
// is the tree before it and is that after it when headOf returns.
func headOf(log string, epoch int64, t *tree, entries []storage.Entry) head {
	h := head{Log: log, Epoch: epoch}
	for _, e := range entries {
		leaf := leafHash(e.Body)
		t.add(leaf)
		h.Sums = append(h.Sums, leaf[:sumSize]...)
	}
	h.Size, h.Edge = t.size, t.clone().edge
	return h
}

func (h head) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("journal: encoding the head of a block: %w", err)
	}
	return text, nil
}

// append adds what encode gives: whoever reads many blocks makes the head that
// each should have, which is faster than to read the one that it has.
func (h head) append(text []byte) []byte {
	text = append(append(append(text, `{"log":"`...), h.Log...), `","epoch":`...)
	text = append(strconv.AppendInt(text, h.Epoch, 10), `,"size":`...)
	text = append(strconv.AppendInt(text, h.Size, 10), `,"edge":[`...)
	for i, hash := range h.Edge {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(base64.StdEncoding.AppendEncode(append(text, '"'), hash[:]), '"')
	}
	return append(base64.StdEncoding.AppendEncode(append(text, `],"sums":"`...), h.Sums), `"}`...)
}

// readHead reads the head of a block, and refuses one that cannot be this
// block's.
func readHead(b storage.Block) (head, error) {
	dec := json.NewDecoder(bytes.NewReader(b.Head))
	dec.DisallowUnknownFields()
	var h head
	if err := dec.Decode(&h); err != nil {
		return head{}, fmt.Errorf("journal: the head of the block at %d: %w", b.First, err)
	}
	t := h.tree()
	if h.Log == "" || h.Epoch < 1 || h.Size != b.Next() || !t.wellFormed() || len(h.Sums) != sumSize*len(b.Entries) {
		return head{}, fmt.Errorf("journal: the head of the block at %d: %w", b.First, errors.New("is not of this block"))
	}
	return h, nil
}
