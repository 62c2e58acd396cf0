package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/server"
)

// devHome is the data directory of --dev. Several servers may share it, and
// may make it at once.
type devHome struct {
	dir    string // absolute
	token  string
	header string // a file for curl, which keeps the token out of lists of processes
}

// devCheckpointKey is the file in it with the key that signs checkpoints.
const devCheckpointKey = "checkpoint-key"

func openDevHome(dir string) (*devHome, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data cannot be made: %w", err)
	}
	home := &devHome{dir: dir, header: filepath.Join(dir, "admin-header")}
	_, err = keep(filepath.Join(dir, "secret"), func() (string, error) { return secret.New(rand.Reader) })
	if err != nil {
		return nil, err
	}
	if _, err = keep(filepath.Join(dir, devCheckpointKey), journal.NewCheckpointKey); err != nil {
		return nil, err
	}
	if home.token, err = keep(filepath.Join(dir, "admin-token"), newToken); err != nil {
		return nil, err
	}
	return home, write(home.header, "Authorization: Bearer "+home.token, os.Rename)
}

// authenticate knows the admin token, and none where there is no home.
func (d *devHome) authenticate() server.Authenticate {
	if d == nil {
		return nil
	}
	return server.AdminToken(d.token, authz.DevAdmin)
}

func newToken() (string, error) {
	random := make([]byte, 32)
	_, err := io.ReadFull(rand.Reader, random)
	return "kwa_" + base64.RawURLEncoding.EncodeToString(random), err
}

// keep gives the text that a file holds. Where there is no file, one is made
// of what fresh gives: of several that do so at once one succeeds, and all are
// given the same.
func keep(path string, fresh func() (string, error)) (string, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var line string
		if line, err = fresh(); err == nil {
			// A link, unlike a new name, never takes the place of what is there.
			err = write(path, line, os.Link)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	text, err := os.ReadFile(path)
	line := strings.TrimSpace(string(text))
	if err == nil && line == "" {
		err = fmt.Errorf("%s is empty; remove it, and it is made anew", path)
	}
	return line, err
}

// write writes a line to a file of the owner's alone, and puts it in its place
// once it is whole.
func write(path, line string, place func(from, to string) error) error {
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.WriteString(line + "\n")
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	return place(part.Name(), path)
}

// The demo product.
const (
	demoProduct = "acme"
	demoPlan    = "professional"
)

// makeDemo makes a product with two plans, where they are not there already.
func makeDemo(ctx context.Context, l *licensing.Service) error {
	ctx = actor.With(ctx, authz.DevAdmin)
	year, badYear := license.ParseDuration("P1Y")
	lease, badLease := license.ParseDuration("PT10M")
	if err := errors.Join(badYear, badLease); err != nil {
		return err
	}
	machines := 5
	plans := []licensing.CreatePlanInput{
		{
			Code: demoPlan, Name: "Professional",
			Entitlements: []licensing.EntitlementInput{{Code: "export"}, {Code: "plugins"}},
		},
		{
			Code: "floating", Name: "Floating, five machines at once", MaxMachines: &machines, LeaseDuration: &lease,
			Entitlements: []licensing.EntitlementInput{{Code: "export"}},
		},
	}
	_, err := l.CreateProduct(ctx, licensing.CreateProductInput{Code: demoProduct, Name: "Acme Studio", KeyPrefix: "ACME"})
	if err := unlessThere(err); err != nil {
		return fmt.Errorf("the demo product cannot be made: %w", err)
	}
	for _, plan := range plans {
		plan.Product, plan.RequireProduct, plan.Duration = demoProduct, true, &year
		plan.ExpiryBasis, plan.RenewalBasis = license.FromCreation, license.FromLaterOfExpiryAndNow
		_, err := l.CreatePlan(ctx, plan)
		if err := unlessThere(err); err != nil {
			return fmt.Errorf("the demo plan %s cannot be made: %w", plan.Code, err)
		}
	}
	return nil
}

// unlessThere passes a Conflict over: the record is there, from an earlier
// start or another server, and may have been changed or archived since.
func unlessThere(err error) error {
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}
