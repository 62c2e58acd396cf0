package main

import (
	"fmt"
	"strconv"

	"github.com/keywright/keywright/validation"
)

// limitsConfig is how much the holders of keys may do. Each server counts for
// itself.
type limitsConfig struct {
	UnknownKeysPerMinute  rate `default:"10" placeholder:"N" help:"How many unknown keys one address is told of in a minute, or off; by default ${default}. Known keys are always answered."`
	UnknownTextsPerMinute rate `default:"1000" placeholder:"N" help:"How many texts that may be keys made elsewhere, and are not, are looked up in a minute, or off; by default ${default}."`
	SeatChangesPerHour    rate `default:"20" placeholder:"N" help:"How often the seats of a license are taken or freed in an hour by its holders, and two times more for each seat of its limit; or off. By default ${default}."`
	SubjectChangesPerHour rate `default:"6" placeholder:"N" help:"How often one machine or domain takes or frees a seat of a license in an hour, or off; by default ${default}."`
}

func (c *limitsConfig) limits() validation.Limits {
	return validation.Limits{
		UnknownKeys: c.UnknownKeysPerMinute.bound(), UnknownTexts: c.UnknownTextsPerMinute.bound(),
		SeatChanges: c.SeatChangesPerHour.bound(), SubjectChanges: c.SubjectChangesPerHour.bound(),
	}
}

// maxRate bounds a rate: what is more is no bound.
const maxRate = 1_000_000

// rate is how often something may happen in a time; below zero, off.
type rate int

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *rate) UnmarshalText(text []byte) error {
	if string(text) == off || string(text) == "0" {
		*r = -1
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil || n > maxRate {
		return fmt.Errorf("must be a number from 1 to %d, or off", maxRate)
	}
	*r = rate(n)
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (r rate) MarshalYAML() (any, error) { //nolint:unparam // yaml.Marshaler has the error
	if r < 0 {
		return off, nil
	}
	return int(r), nil
}

// bound gives the rate, zero where it is off.
func (r rate) bound() int { return max(0, int(r)) }
