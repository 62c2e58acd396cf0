package storage

// Size is about how many bytes a record takes in memory with all that is beside
// it: drivers bound by it what they read at once.
func (w Whole) Size() int {
	const each = 256
	size := each + len(w.Body)
	for _, s := range w.Seats {
		size += each + len(s.Body)
	}
	for _, d := range w.Days {
		size += each
		for _, counts := range d.Values {
			size += each/4 + len(counts)*each/4
		}
	}
	for _, e := range w.Pending {
		size += each + len(e.Body)
	}
	return size
}
