package validation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/validation"
)

func TestAGoodKeyIsValid(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) {
		in.Entitlements = []license.Entitlement{{Code: "export"}}
	})
	want := w.snapshot(t, keyText)
	got := answer(t, w.service(nil), asked(strings.ToLower(keyText), func(in *validation.ValidateInput) {
		in.Product, in.Entitlements = new("acme"), []string{"export"}
	}))
	if diff := differ(&validation.Validation{
		Valid: true, Code: "VALID", At: noon, AsOf: noon,
		RefreshAt: noon.Add(5 * time.Minute), GoodUntil: new(noon.Add(24 * time.Hour)),
		License: &validation.ValidatedLicense{
			ID: want.License.ID, ProductCode: "acme", PlanCode: "pro", ExpiresAt: new(noon.AddDate(1, 0, 0)),
			Entitlements: []license.Entitlement{{Code: "export"}},
		},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheHolderSeesItsSeat(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) {
		in.MaxMachines, in.LeaseDuration = new(3), lasting("PT1H")
	})
	s := w.snapshot(t, keyText)
	activated(t, s, machine("m-1"), noon.Add(-time.Minute))
	activated(t, s, machine("m-2"), noon.Add(-2*time.Hour)) // its lease has run out
	got := answer(t, w.from(gives(s, noon)), asked(keyText, func(in *validation.ValidateInput) { in.Fingerprint = new("m-1") }))
	wantCode(t, got, license.CodeValid)
	if diff := differ(&validation.HeldSeat{
		ID: "act_m-1", Kind: license.Machine, CreatedAt: noon.Add(-time.Minute), LastSeenAt: noon.Add(-time.Minute),
		LeaseUntil: new(noon.Add(59 * time.Minute)),
	}, got.Activation); diff != "" {
		t.Error(diff)
	}
	if got.License.MachineCount != 1 || *got.License.MaxMachines != 3 {
		t.Errorf("%d of %d machines, want 1 of 3", got.License.MachineCount, *got.License.MaxMachines)
	}
	if !got.GoodUntil.Equal(noon.Add(59 * time.Minute)) {
		t.Errorf("good until %v, want the end of the lease", got.GoodUntil)
	}
}

func TestMistypedKeysAskNoSource(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	w.product(t, "other", "OTHR")
	s := w.from(untouched(t))
	wrong := []byte(keyText)
	wrong[6] = swapped(wrong[6])
	for name, text := range map[string]string{
		"a wrong character":           string(wrong),
		"a character less":            keyText[:len(keyText)-1],
		"a character more":            keyText + "0",
		"another product's prefix":    "OTHR" + strings.TrimPrefix(keyText, "ACME"),
		"nothing":                     "",
		"too short for any key":       "ACME-12345",
		"NUL":                         "ACME-" + strings.Repeat("\x00", 20),
		"NUL in a key made elsewhere": "0123456789abcdef\x00",
		"5,000 characters":            strings.Repeat("A", 5000),
		"no UTF-8":                    "0123456789abcdef\xff",
	} {
		got := answer(t, s, asked(text, nil))
		if got.Code != "KEY_MALFORMED" || got.Valid || got.License != nil || got.GoodUntil != nil || len(got.Reasons) != 1 || !got.Reasons[0].Blocking {
			t.Errorf("%s: %+v", name, got)
		}
		if !got.RefreshAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("%s: ask again at %v", name, got.RefreshAt)
		}
	}
}

// swapped gives another character of the alphabet.
func swapped(c byte) byte {
	if c == 'A' {
		return 'B'
	}
	return 'A'
}

func TestRefusedTextAsksNoStorageEither(t *testing.T) {
	w := newWorld(t)
	s := w.service(nil)
	ok(t, w.store.Close())
	for _, text := range []string{"", "short", "0123456789abcdef\x00", strings.Repeat("A", 5000)} {
		wantCode(t, answer(t, s, asked(text, nil)), license.CodeKeyMalformed)
	}
}

func TestTextThatLeadsNowhereIsNotFound(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	w.product(t, "other", "OTHR")
	for name, text := range map[string]string{
		"an MD5":                            "d41d8cd98f00b204e9800998ecf8427e",
		"a UUID":                            "123e4567-e89b-42d3-a456-426614174000",
		"a prefix that nobody has":          "ZZZZ" + strings.TrimPrefix(keyText, "ACME"),
		"right data under a known prefix":   underPrefix(t, keyText, "OTHR"),
		"right data under an unknown one":   underPrefix(t, keyText, "ZZZZ"),
		"200 characters of another shape":   strings.Repeat("é", 200),
		"the key's data without its prefix": strings.TrimPrefix(keyText, "ACME-") + "X",
	} {
		if got := answer(t, w.service(nil), asked(text, nil)); got.Code != "NOT_FOUND" || got.Valid || got.License != nil {
			t.Errorf("%s: %s, license %v", name, got.Code, got.License)
		}
	}
}

func TestImportedKeysAreFoundUnlessTheyAreOff(t *testing.T) {
	w := newWorld(t)
	w.plan(t, "pro", nil)
	const keyText = "an older key, made elsewhere"
	_, err := w.licensing.IssueLicense(asStaff(t), licensing.IssueLicenseInput{Plan: "acme/pro", Key: new(keyText)})
	ok(t, err)
	wantCode(t, answer(t, w.service(nil), asked(keyText, nil)), license.CodeValid)
	wantCode(t, answer(t, w.service(nil), asked(strings.ToUpper(keyText), nil)), license.CodeNotFound)
	off := w.service(func(c *validation.Config) { c.NoImported, c.Source = true, untouched(t) })
	wantCode(t, answer(t, off, asked(keyText, nil)), license.CodeNotFound)
}

func TestARotatedKeyIsGoodUntilItsEnd(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s := w.snapshot(t, keyText)
	s.License.Keys[0].EndsAt = noon
	s.License.Keys = append(s.License.Keys, license.Key{Lookup: make([]byte, 32)})
	service := w.from(func(context.Context, [32]byte, time.Time) (validation.Snapshot, time.Time, error) {
		return s, w.clock.now(), nil
	})
	w.clock.advance(-time.Millisecond)
	wantCode(t, answer(t, service, asked(keyText, nil)), license.CodeValid)
	w.clock.advance(time.Millisecond)
	wantCode(t, answer(t, service, asked(keyText, nil)), license.CodeNotFound)
}

func TestALicenseThatDoesNotListTheKeyIsNotFound(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	s := w.snapshot(t, w.issueMore(t))
	wantCode(t, answer(t, w.from(gives(s, noon)), asked(keyText, nil)), license.CodeNotFound)
}

func TestKeysAreFoundUnderEverySecretOfTheList(t *testing.T) {
	w := newWorld(t)
	old, added := newSecret(t), newSecret(t)
	w.use(t, old)
	keyText := w.issue(t, nil)
	w.use(t, added, old)
	wantCode(t, answer(t, w.service(nil), asked(keyText, nil)), license.CodeValid)
	wantCode(t, answer(t, w.service(nil), asked(w.issueMore(t), nil)), license.CodeValid)
	w.use(t, added)
	wantCode(t, answer(t, w.service(nil), asked(keyText, nil)), license.CodeNotFound)
}

func TestTheProductIsHeldToThePlan(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, func(in *licensing.CreatePlanInput) { in.RequireProduct = true })
	for _, c := range []struct {
		product *string
		want    license.Code
	}{
		{nil, license.CodeProductRequired},
		{new(""), license.CodeProductRequired},
		{new("acme"), license.CodeValid},
		{new("ACME"), license.CodeProductMismatch},
		{new("other"), license.CodeProductMismatch},
	} {
		wantCode(t, answer(t, w.service(nil), asked(keyText, func(in *validation.ValidateInput) { in.Product = c.product })), c.want)
	}
}

func TestEveryBadFieldIsNamed(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	for name, c := range map[string]struct {
		change func(*validation.ValidateInput)
		want   []string
	}{
		"an empty fingerprint":  {func(in *validation.ValidateInput) { in.Fingerprint = new("") }, []string{"fingerprint"}},
		"a long fingerprint":    {func(in *validation.ValidateInput) { in.Fingerprint = new(strings.Repeat("x", 201)) }, []string{"fingerprint"}},
		"NUL in a fingerprint":  {func(in *validation.ValidateInput) { in.Fingerprint = new("a\x00b") }, []string{"fingerprint"}},
		"a domain that is none": {func(in *validation.ValidateInput) { in.Domain = new("-/-") }, []string{"domain"}},
		"an empty domain":       {func(in *validation.ValidateInput) { in.Domain = new("") }, []string{"domain"}},
		"too many entitlements": {func(in *validation.ValidateInput) { in.Entitlements = make([]string, 101) }, []string{"entitlements"}},
		"a long product":        {func(in *validation.ValidateInput) { in.Product = new(strings.Repeat("p", 257)) }, []string{"product"}},
		"a long entitlement": {func(in *validation.ValidateInput) {
			in.Entitlements = []string{"export", strings.Repeat("e", 257)}
		}, []string{"entitlements.1"}},
		"no staleness": {func(in *validation.ValidateInput) { in.MaxStaleness = lasting("PT0S") }, []string{"maxStaleness"}},
		"all at once": {func(in *validation.ValidateInput) {
			in.Fingerprint, in.Domain, in.MaxStaleness = new(""), new("a b"), lasting("PT0S")
			in.Entitlements = make([]string, 101)
		}, []string{"fingerprint", "domain", "entitlements", "maxStaleness"}},
	} {
		_, err := w.from(untouched(t)).Validate(t.Context(), asked(keyText, c.change))
		var fields []string
		for _, one := range fault.All(err) {
			if one.Code != fault.InvalidInput {
				t.Errorf("%s: %s", name, one.Code)
			}
			fields = append(fields, one.Field)
		}
		if diff := differ(c.want, fields); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheGreatestInputIsTaken(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	got := answer(t, w.service(nil), asked(keyText, func(in *validation.ValidateInput) {
		in.Fingerprint, in.Domain = new(strings.Repeat("x", 200)), new("WWW.Bücher.example.:443")
		in.Entitlements, in.MaxStaleness = make([]string, 100), lasting("P100Y")
	}))
	wantCode(t, got, license.CodeEntitlementMissing)
}

func TestTheSourceIsAskedForDataAsFreshAsTheCallerWants(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	for _, c := range []struct {
		server time.Duration
		caller *license.Duration
		want   time.Duration
	}{
		{0, nil, 5 * time.Second},
		{0, lasting("PT2S"), 2 * time.Second},
		{0, lasting("PT1S"), time.Second},
		{0, lasting("PT6S"), 5 * time.Second},
		{0, lasting("P100Y"), 5 * time.Second},
		{2 * time.Second, lasting("PT4S"), 2 * time.Second},
	} {
		var notOlderThan time.Time
		s := w.service(func(config *validation.Config) {
			config.MaxStaleness = c.server
			config.Source = source(func(_ context.Context, _ [32]byte, at time.Time) (validation.Snapshot, time.Time, error) {
				notOlderThan = at
				return w.snapshot(t, keyText), noon, nil
			})
		})
		answer(t, s, asked(keyText, func(in *validation.ValidateInput) { in.MaxStaleness = c.caller }))
		if got := noon.Sub(notOlderThan); got != c.want {
			t.Errorf("server %v, caller %v: not older than %v, want %v", c.server, c.caller, got, c.want)
		}
	}
}

func TestAFailureIsNeverANo(t *testing.T) {
	w := newWorld(t)
	keyText := w.issue(t, nil)
	for name, err := range map[string]error{
		"unavailable":     fault.Errorf(fault.Unavailable, "storage is unavailable"),
		"a broken record": errors.New("unexpected end of JSON input"),
		"a refused call":  fault.Errorf(fault.InvalidInput, "the driver's own"),
		"a deadline":      context.DeadlineExceeded,
	} {
		t.Run(name, func(t *testing.T) {
			v, got := w.from(fails(err)).Validate(t.Context(), asked(keyText, nil))
			wantUnavailable(t, v, got)
			if !errors.Is(got, err) {
				t.Errorf("the log does not learn of %v from %v", err, got)
			}
		})
	}
}

func TestWithoutPrefixesTheServerDoesNotKnowWhatTextIs(t *testing.T) {
	w := newWorld(t)
	s := w.service(nil)
	ok(t, w.store.Close())
	v, err := s.Validate(t.Context(), asked("d41d8cd98f00b204e9800998ecf8427e", nil))
	wantUnavailable(t, v, err)
}
