// What a program may write against docs/events.d.ts, and what it may not. It
// is compiled and never run.
import type { EventData, EventType, KeywrightEvent, Personal, Withheld } from "../../docs/events.js";

const shown = (value: Personal<string> | undefined): string =>
  value === undefined ? "" : typeof value === "string" ? value : "withheld";

export function tell(event: KeywrightEvent): string {
  switch (event.type) {
    case "product.created":
      return shown(undefined) + (event.data.changes.name?.to ?? "");
    case "license.created":
      return shown(event.data.changes["customer.email"]?.to) + (event.data.changes.maxMachines?.to?.max ?? "no limit");
    case "license.updated":
      return event.data.changes?.entitlements?.to?.map((granted) => granted.code).join() ?? "";
    case "license.suspended":
      return event.data.changes.state?.from === "issued" ? "stopped" : "";
    case "license.expiring":
      return event.data.expiresAt + (event.data.daysLeft - 1);
    case "limit.reached":
      return event.data.kind === "DOMAIN" && event.data.refused ? "no domain is left" : "";
    case "access.denied":
      return event.data.action.toUpperCase() + event.data.count.toFixed();
    case "journal.restored":
      return event.data.root + event.data.size.toFixed();
    default:
      return event.type;
  }
}

export const seats: EventType[] = ["activation.created", "activation.removed"];
export const data: EventData<"license.lapsed"> = { expiresAt: "2027-11-21T12:00:00Z", graceUntil: "2027-11-28T12:00:00Z" };
export const gone: Withheld = { withheld: true };

export function mistaken(event: KeywrightEvent): void {
  // @ts-expect-error: not before its type is known
  event.data.daysLeft;
  if (event.type === "license.erased") {
    // @ts-expect-error: it changes nothing but the customer
    event.data.changes.state;
    // @ts-expect-error: it may be withheld
    event.data.changes["customer.email"]?.from?.toLowerCase();
  }
  // @ts-expect-error: there is no such type
  if (event.type === "license.lost") return;
  // @ts-expect-error: graceUntil is missing
  const lapsed: EventData<"license.lapsed"> = { expiresAt: "2027-11-21T12:00:00Z" };
  void lapsed;
}
