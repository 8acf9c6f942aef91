import type { Application } from './application.js';
import type { Provider } from './provider.js';
import type { OpenStorage } from './storage.js';

/** The application, provider and storage under test. Each that is absent is ours. */
export interface Subject<S> {
  readonly application: Application<S>;
  /** Defaults to checksummed frames that carry any root: `createFramedProvider({ others: 'any' })`. */
  readonly provider?: Provider;
  /** Without one a crash takes everything, so none is tried. */
  readonly storage?: OpenStorage;
  /** Each with each, or all with the first one, whose provider must then pass on what it receives. */
  readonly topology?: 'mesh' | 'star';
  /** The provider never applies what lacks something before it: then nothing may be pending, ever. */
  readonly gapless?: boolean;
  /**
   * Waits until provider, storage and application have done what they are about to do. Needed where they are
   * asynchronous; they must not wait for real time.
   */
  readonly settle?: () => Promise<void>;
}
