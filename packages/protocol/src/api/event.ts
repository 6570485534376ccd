/** A user event on its way to the agents of a datacenter. */
export interface FiredEvent {
  /** A UUID: an event that comes twice counts once. */
  readonly ID: string;
  readonly Name: string;
  readonly Payload: Uint8Array | null;
  /** Regular expressions; empty: everybody. */
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
}
