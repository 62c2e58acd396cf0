package journal

import "fmt"

// sameLog fails unless the checkpoints are of this log.
func (v *verifying) sameLog() error {
	for _, c := range v.Checkpoints {
		if err := c.sameLog(v.walk.log); err != nil {
			return err
		}
	}
	return nil
}

// pass compares the tree with the checkpoints of its size. What is of another
// epoch is set apart: what came of that shows at the end of the log.
func (v *verifying) pass(index int64) error {
	for ; v.passed < len(v.Checkpoints) && v.Checkpoints[v.passed].Size == v.walk.tree.size; v.passed++ {
		switch c := v.Checkpoints[v.passed]; {
		case c.Epoch != v.walk.epoch:
			v.apart = append(v.apart, c)
		case c.Root != v.walk.tree.root():
			return v.rewritten(c, index)
		default:
			v.report.Covered = v.walk.tree.size
		}
	}
	return nil
}

func (v *verifying) rewritten(c Checkpoint, index int64) error {
	from := v.report.Covered
	if from == index {
		return found(from, "it was rewritten, with all that follows from it: the checkpoint at %d entries has another root", c.Size)
	}
	return found(from, "the log was rewritten from here on or later, but before entry %d: the checkpoint at %d entries has another root. "+
		"Checkpoints of fewer entries, if there are any, tell where more exactly", index+1, c.Size)
}

// allPassed judges the checkpoints that the log has not passed: it ends before
// them, or was in another epoch there. What restorations explain are losses,
// of which the largest of each restoration is told.
func (v *verifying) allPassed() error {
	most := map[int64]int64{}
	largestFirst := append(v.apart, v.Checkpoints[v.passed:]...)
	for i := len(largestFirst) - 1; i >= 0; i-- {
		c := largestFirst[i]
		r := after(v.walk.restorations, c.Epoch)
		known := knows(v.walk.restorations, c.Epoch)
		switch {
		case r == nil:
			return v.cutOff(c)
		case c.Size <= r.Size && known:
			return found(Nowhere, "the log was rewritten: the checkpoint at %d entries is of epoch %d, which here begins behind them", c.Size, c.Epoch)
		case most[r.Epoch] > 0: // a larger one is told of
			continue
		}
		most[r.Epoch] = c.Size
		l := &Loss{At: *r, Problem: r.missing(c, known)}
		if c.Size <= r.Size {
			l.Problem = fmt.Sprintf("the log was restored at size %d (epoch %d) on %s, from a copy of another time than the one that the checkpoint's epoch, %d, began with: "+
				"entries of that are gone", r.Size, r.Epoch, r.At.UTC().Format(timeFormat), c.Epoch)
		}
		v.losses = append(v.losses, l)
	}
	return nil
}

// cutOff says of a checkpoint which no restoration came after that the log
// ends before it.
func (v *verifying) cutOff(c Checkpoint) error {
	size := v.walk.tree.size
	switch {
	case c.Size > size:
		return found(size, "the log ends here, and a checkpoint has %d entries: the last %d were cut off, or an old copy was restored, "+
			"and keywright migrate --restored not run on it", c.Size, c.Size-size)
	case c.Epoch > v.walk.epoch:
		return found(Nowhere, "the checkpoint at %d entries is of epoch %d, which the log, in epoch %d, never came to: an old copy was restored, "+
			"and keywright migrate --restored not run on it", c.Size, c.Epoch, v.walk.epoch)
	}
	return found(Nowhere, "the log was rewritten: the checkpoint at %d entries is of epoch %d, which here begins behind them", c.Size, c.Epoch)
}
