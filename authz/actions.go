package authz

// Action is something that a caller may be allowed to do, on all products or
// on some. No action implies another.
type Action string

// The actions of the public contract, each in the words of @hasPermission.
const (
	// ProductRead shows products. It does not show their plans or licenses.
	ProductRead Action = "product:read"
	// ProductWrite creates, changes and archives products. On all of them, and
	// with PlanWrite, it lets a plan's programs not name the product that asks.
	ProductWrite Action = "product:write"
	// PlanRead shows plans.
	PlanRead Action = "plan:read"
	// PlanWrite creates, changes and archives plans, and with them the terms
	// of every license that does not override them.
	PlanWrite Action = "plan:write"
	// LicenseRead shows licenses with their customers, and the product and
	// plan of each. It does not show keys.
	LicenseRead Action = "license:read"
	// LicenseIssue issues licenses and shows each new one's key once. It does
	// not show the key of any other.
	LicenseIssue Action = "license:issue"
	// LicenseUpdate changes what a license says and frees its seats. It does
	// not change its terms: with LicenseIssue it changes plan, limits, grace
	// and entitlements, with LicenseRenew start and end.
	LicenseUpdate Action = "license:update"
	// LicenseRenew moves the end of licenses further out. It does not set an
	// earlier one or take it away.
	LicenseRenew Action = "license:renew"
	// LicenseSuspend suspends licenses and ends a suspension. It does not end
	// a revocation.
	LicenseSuspend Action = "license:suspend"
	// LicenseRevoke revokes licenses, and with LicenseSuspend ends that.
	LicenseRevoke Action = "license:revoke"
	// LicenseRotateKey gives licenses a new key, shows it once, and ends the
	// old one. It does not show the key of a license that keeps its own.
	LicenseRotateKey Action = "license:rotate-key"
	// LicenseRevealKey shows the key of a license again.
	LicenseRevealKey Action = "license:reveal-key"
	// CustomerErase empties who the customer of a license is, for good. It
	// does not show customers.
	CustomerErase Action = "customer:erase"
	// EventRead shows what happened: when, by whom and to what. It shows
	// neither what changed nor the license, which LicenseRead does.
	EventRead Action = "event:read"
	// JournalRead, on all products, shows how long the journal is, its root and
	// its checkpoint. It does not show events.
	JournalRead Action = "journal:read"
)

// Actions lists all actions.
func Actions() []Action {
	return []Action{
		ProductRead, ProductWrite, PlanRead, PlanWrite,
		LicenseRead, LicenseIssue, LicenseUpdate, LicenseRenew,
		LicenseSuspend, LicenseRevoke, LicenseRotateKey, LicenseRevealKey, CustomerErase,
		EventRead, JournalRead,
	}
}
