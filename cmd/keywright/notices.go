package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keywright/keywright/license"
)

const maxNotices = 10

// notice is how many days before its end a license is announced; 0 is off.
type notice int

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *notice) UnmarshalText(text []byte) error {
	if string(text) == off {
		*n = 0
		return nil
	}
	digits, inDays := strings.CutSuffix(string(text), "d")
	days, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || !inDays || days < 1 || days > license.MaxNotice {
		return fmt.Errorf("must be days from 1d to %dd, or off", license.MaxNotice)
	}
	*n = notice(days)
	return nil
}

// MarshalYAML implements yaml.Marshaler.
func (n notice) MarshalYAML() (any, error) { //nolint:unparam // yaml.Marshaler has the error
	if n == 0 {
		return off, nil
	}
	return fmt.Sprintf("%dd", int(n)), nil
}

// notices gives the days of ExpiryNotices, the most first; none where they are
// off.
func (c *config) notices() ([]int, error) {
	days := []int{}
	for _, n := range c.ExpiryNotices {
		days = append(days, int(n))
	}
	slices.Sort(days)
	slices.Reverse(days)
	switch {
	case slices.Equal(days, []int{0}):
		return []int{}, nil
	case slices.Contains(days, 0):
		return nil, errors.New("names days and off; give either")
	case len(slices.Compact(slices.Clone(days))) < len(days):
		return nil, errors.New("names the same days twice")
	case len(days) > maxNotices:
		return nil, fmt.Errorf("names %d days, and may name %d", len(days), maxNotices)
	}
	return days, nil
}
