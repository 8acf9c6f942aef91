import type { Application } from '../subject/application.js';
import type { Provider } from '../subject/provider.js';
import type { Subject } from '../subject/subject.js';
import type { Journal } from './journal.js';
import type { Network } from './network.js';
import type { Replica } from './replica.js';

/** One run as its faults see it: replicas of the subject, and the network between them. */
export interface World<S> {
  readonly subject: Subject<S>;
  readonly application: Application<S>;
  readonly provider: Provider;
  readonly network: Network;
  readonly replicas: readonly Replica<S>[];
  readonly journal: Journal;
  /** Virtual milliseconds. */
  readonly now: number;
  /** Strangers that have visited: each has a client id of its own. */
  visitors: number;
  /** Counts an interesting case. */
  readonly mark: (name: string) => void;
}
