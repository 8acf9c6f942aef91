import type * as Y from 'yjs';
import {
  type Application,
  createFramedProvider,
  frameStorage,
  type OpenStorage,
  type Provider,
  type Subject,
  syncProvider,
} from '../src/testing/index.js';

/** Small programs that the harness is pointed at: a good one, and ones with one fault each. */

export interface Notes {
  readonly map: Y.Map<string>;
  readonly createKey: () => string;
}

/** Notes under keys that nobody else makes, each written once. */
export function notesApplication(changes: Partial<Application<Notes>> = {}): Application<Notes> {
  return {
    name: 'notes',
    open: ({ doc, environment }) => ({
      map: doc.getMap('notes'),
      createKey: () => [...environment.random(8)].join('.'),
    }),
    commands: {
      write: ({ map, createKey }, pick) => {
        const key = createKey();
        const text = `note ${pick.below(100)}`;
        map.set(key, text);
        return [`${key}: ${text}`];
      },
      drop: ({ map }, pick) => {
        const key = pick.one([...map.keys()].sort());
        if (key === undefined || !pick.chance(4)) return false;
        map.delete(key);
        return { withdrawn: [`${key}:`] };
      },
    },
    read: ({ map }) => map.toJSON(),
    facts: ({ map }) => [...map].map(([key, text]) => `${key}: ${text}`),
    ...changes,
  };
}

const notesProvider: Provider = createFramedProvider({ others: ['notes'] });

export const notes: Subject<Notes> = {
  application: notesApplication(),
  provider: notesProvider,
  storage: frameStorage,
  gapless: true,
};

/** A key is the time: of two notes of one moment one is lost. */
export const hastyApplication: Application<Notes> = notesApplication({
  name: 'hasty notes',
  open: ({ doc, environment }) => ({
    map: doc.getMap('notes'),
    createKey: () => String(environment.now()),
  }),
});

/** Asks for nothing when a connection opens: what was said before stays unheard. */
export const shyProvider: Provider = (seat, port) => {
  let isOpening = false;
  return syncProvider(seat, {
    ...port,
    send: (bytes) => {
      if (!isOpening) port.send(bytes);
    },
    onOpen: (listener) =>
      port.onOpen(() => {
        isOpening = true;
        listener();
        isOpening = false;
      }),
  });
};

/** Answers every message, for ever. */
export const talkativeProvider: Provider = (seat, port) => {
  const { onMessage } = port;
  return syncProvider(seat, {
    ...port,
    onMessage: (listener) =>
      onMessage((bytes) => {
        listener(bytes);
        port.send(bytes);
      }),
  });
};

/** Confirms each flush, and keeps the bytes in memory. */
export const lazyStorage: OpenStorage = (seat) => ({ ...frameStorage(seat), flush: () => undefined });

/** Leaves what is torn where it is, and writes on behind it. */
export const tornStorage: OpenStorage = (seat) => {
  const { disk } = seat;
  const kept = {
    read: () => disk.read(),
    append: (bytes: Uint8Array) => disk.append(bytes),
    replace: () => undefined,
    sync: () => disk.sync(),
  };
  return frameStorage({ ...seat, disk: kept as unknown as typeof disk });
};

/** The same as ours, at its leisure. */
export const slowStorage: OpenStorage = (seat) => {
  const storage = frameStorage(seat);
  return {
    load: () => Promise.resolve().then(() => storage.load()),
    append: (update) => storage.append(update),
    flush: () => Promise.resolve().then(() => storage.flush()),
  };
};
