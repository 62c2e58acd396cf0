package validation_test

import (
	"testing"

	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

func TestLicensesOfWhatIsArchivedGoOnValidating(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, floating)
	s := w.service(nil)
	archived := true
	_, err := w.licensing.UpdatePlan(asStaff(t), licensing.UpdatePlanInput{Plan: "acme/pro", Archived: &archived})
	ok(t, err)
	_, err = w.licensing.UpdateProduct(asStaff(t), licensing.UpdateProductInput{Product: "acme", Archived: &archived})
	ok(t, err)
	if got := activate(t, s, keyText, "m-1"); !got.Created || !got.Validation.Valid {
		t.Errorf("a seat is refused: %s", got.Validation.Code)
	}
	if got := heartbeat(t, s, keyText, "m-1"); got.LeaseUntil == nil {
		t.Error("a lease is not renewed")
	}
	wantCode(t, answer(t, s, asked(keyText, nil)), license.CodeFingerprintRequired)
	if got := deactivate(t, s, keyText, "m-1"); !got.Removed {
		t.Error("a seat is not freed")
	}
}
