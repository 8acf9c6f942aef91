import { deriveUlid } from '@chatdoc/schema/internal';
import { roomName } from '@chatdoc/sync';

/** What the processes of the run share: one document, its threads, and what they tell the one that kills them. */

export const DOC_ID: string = deriveUlid(Date.UTC(2026, 10, 21), 'processes');
export const ROOM: string = roomName(DOC_ID, 0);
/** Threads, by the slot from which every replica derives the same id. */
export const SLOTS = ['red', 'green', 'blue'].map(
  (root_id) => ({ root_id, owner_id: 'ada', provider: 'writer', purpose: 'chat' }) as const,
);

/** A lease that shows its effect within seconds. */
export const LEASE_MS = 3_000;

export type Role = 'hub' | 'backend' | 'viewer';

/** What one process shows of the document now. */
export interface View {
  readonly digest: string;
  /** Threads in which a turn runs, or a prompt waits that nothing holds back. */
  readonly busy: number;
  /** Threads whose queue waits for a person after an interrupt. */
  readonly held: number;
}

export type Told =
  | { readonly type: 'ready' }
  /** The hub has said that all this is on the disk: by clientID of a lane, the clock up to which. */
  | { readonly type: 'saved'; readonly clocks: Readonly<Record<string, number>>; readonly writes: number }
  | ({ readonly type: 'view' } & View)
  /** The hub has told this client to take a fresh copy. */
  | { readonly type: 'refused'; readonly code: string }
  /** A law was seen to be broken. */
  | { readonly type: 'broken'; readonly law: string };

export type Order =
  | { readonly type: 'look' }
  /** Of viewers: ask for nothing more. */
  | { readonly type: 'quiet' }
  /** Of viewers: go on with what was interrupted, and nothing else. */
  | { readonly type: 'tidy' }
  /** Of the hub: end properly. */
  | { readonly type: 'close' };

/** `onTold` is called once it is on its way: what is told before an exit would be lost. */
export function tell(told: Told, onTold: () => void = () => {}): void {
  process.send?.(told, onTold);
}

export function onOrder(listener: (order: Order) => void): void {
  process.on('message', listener);
  // Nobody outlives the process that started it.
  process.on('disconnect', () => process.exit());
}
