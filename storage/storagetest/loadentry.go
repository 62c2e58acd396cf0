package storagetest

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/storage"
)

// loadStaff is how many people issued the licenses that Fill makes.
const loadStaff = 20

// LogEntry makes entry number n of a log, always the same: what was written of
// license number n when it was issued. It is as long as a real one and holds
// as much that no other does.
func LogEntry(n int) storage.Entry {
	return storage.Entry{
		ID: loadEventID(n), Type: "license.created", Actor: "USER " + loadActor(n),
		Product: LicenseIndex(n).Product, Subjects: []string{LicenseID(n)}, Body: licenseEntry(n),
	}
}

// LogBlock makes the block of a log that begins with entry number first and
// has size entries, with a head as long as that of a log of a million.
func LogBlock(first, size int) storage.Block {
	b := storage.Block{First: int64(first), At: LicenseIndex(first + size - 1).Created}
	var edge []string
	for level := range 20 {
		if (first+size)>>level&1 == 1 {
			edge = append(edge, base64.StdEncoding.EncodeToString(loadHash("edge", (first+size)>>level<<level+level)))
		}
	}
	sums := make([]byte, 0, 4*size)
	for n := range size {
		b.Entries = append(b.Entries, logged(first+n))
		sums = append(sums, loadHash("sum", first+n)[:4]...)
	}
	b.Head = fmt.Appendf(nil, `{"log":%q,"epoch":1,"size":%d,"edge":["%s"],"sums":%q}`,
		loadID("log", 0), b.Next(), strings.Join(edge, `","`), base64.StdEncoding.EncodeToString(sums))
	return b
}

// revokedEach is how many entries of a log there are to one that a license was
// revoked.
const revokedEach = 50

// logged is entry number n of the log: that a license was issued, or that the
// one before it was revoked.
func logged(n int) storage.Entry {
	if n%revokedEach != revokedEach-1 {
		return LogEntry(n)
	}
	e := LogEntry(n)
	e.Type, e.Product, e.Subjects = "license.revoked", LicenseIndex(n-1).Product, []string{LicenseID(n - 1)}
	e.Body = fmt.Appendf(nil, `{"actor":{"id":%q,"kind":"USER"},"at":%q,"data":{"changes":{"state":{"from":"issued","to":"revoked"},`+
		`"statusReason":{"to":{"hmac":%q}}}},"digest":%q,"id":%q,"license":%q,"product":%q,"request":%q,"revision":2,"subject":%[6]q,`+
		`"type":"license.revoked","version":1}`,
		loadActor(n), LicenseIndex(n).Created.Format(loadTime), base64.StdEncoding.EncodeToString(loadHash("reason", n)[:16]),
		base64.StdEncoding.EncodeToString(loadHash("digest", n)), e.ID, e.Subjects[0], e.Product, loadID("req", n))
	return e
}

// FillLog appends the entries numbered from first up to (not including) last,
// so many a block.
func FillLog(ctx context.Context, s storage.Store, first, last, size int) error {
	for ; first < last; first += size {
		if err := s.AppendBlock(ctx, LogBlock(first, min(size, last-first))); err != nil {
			return err
		}
	}
	return nil
}

// licenseEntry is of the shape that journal.Entry has.
func licenseEntry(n int) []byte {
	x := LicenseIndex(n)
	hidden := func(field string) string {
		return base64.StdEncoding.EncodeToString(loadHash(field, n)[:16])
	}
	ends := ""
	if !x.Ends.IsZero() {
		ends = fmt.Sprintf(`"expiresAt":{"to":%q},`, x.Ends.Format(loadTime))
	}
	return fmt.Appendf(nil, `{"actor":{"id":%q,"kind":"USER"},"at":%q,"data":{"changes":{`+
		`"customer.email":{"to":{"hmac":%q}},"customer.externalId":{"to":{"hmac":%q}},"customer.name":{"to":{"hmac":%q}},`+
		`%s"externalId":{"to":{"hmac":%q}},"keys":{"to":1},"plan":{"to":%q},"state":{"to":"issued"}}},`+
		`"digest":%q,"id":%q,"license":%q,"product":%q,"request":%q,"revision":1,"subject":%[11]q,"type":"license.created","version":1}`,
		loadActor(n), x.Created.Format(loadTime), hidden("email"), hidden("customer"), hidden("name"), ends, hidden("external"), x.Plan,
		base64.StdEncoding.EncodeToString(loadHash("digest", n)), loadEventID(n), LicenseID(n), x.Product, loadID("req", n))
}

const loadTime = "2006-01-02T15:04:05.000Z07:00"

func loadActor(n int) string {
	return fmt.Sprintf("https://login.example.com|%x", loadHash("staff", int(loadHash("by", n)[0])%loadStaff)[:12])
}

// loadEventID gives the id of entry number n, which sorts by its time.
func loadEventID(n int) string {
	var uuid [16]byte
	copy(uuid[:], binary.BigEndian.AppendUint64(nil, uint64(LicenseIndex(n).Created.UnixMilli())<<16))
	copy(uuid[6:], loadHash("event", n))
	return id.FromUUID("evt", uuid)
}
