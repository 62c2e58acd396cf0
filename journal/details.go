package journal

import "time"

// LicenseExpiringData is the data of license.expiring.
type LicenseExpiringData struct {
	ExpiresAt time.Time `json:"expiresAt"`
	DaysLeft  int       `json:"daysLeft"`
}

// LicenseExpiredData is the data of license.expired.
type LicenseExpiredData struct {
	ExpiresAt time.Time `json:"expiresAt"`
}

// LicenseLapsedData is the data of license.lapsed.
type LicenseLapsedData struct {
	ExpiresAt  time.Time `json:"expiresAt"`
	GraceUntil time.Time `json:"graceUntil"`
}

// LicenseOverdueData is the data of license.overdue.
type LicenseOverdueData struct {
	LastSeenAt      time.Time `json:"lastSeenAt"`
	CheckInInterval string    `json:"checkInInterval"` // ISO 8601
}

// LimitReachedData is the data of limit.reached.
type LimitReachedData struct {
	Kind    string `json:"kind"` // MACHINE or DOMAIN
	Limit   int    `json:"limit"`
	Count   int    `json:"count"`
	Refused bool   `json:"refused"`
}

// AccessDeniedData is the data of access.denied.
type AccessDeniedData struct {
	Action string    `json:"action"`
	Count  int       `json:"count"`
	Since  time.Time `json:"since"`
}
