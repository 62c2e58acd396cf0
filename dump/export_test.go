package dump

// WriteAtMost has a stream refuse records of more bytes.
func WriteAtMost(w *Writer, most int) { w.most = most }

// ReadAtMost likewise.
func ReadAtMost(r *Reader, most int) { r.most = most }
