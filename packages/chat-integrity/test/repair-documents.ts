import { deriveAnswerId, openChat, timeOfUlid } from '@chatdoc/schema';
import { deriveUlid } from '@chatdoc/schema/internal';
import fc from 'fast-check';
import * as Y from 'yjs';
import { BREAKERS, SLOT, slotThread } from './breakers.js';
import {
  header,
  healthyLines,
  idAt,
  jsonl,
  message,
  type OpenDocument,
  openText,
  openWith,
  stillEnvironment,
  thread,
} from './documents.js';

/** Documents that many breakers broke at once, made as text: cheap enough for thousands of runs. */

export interface Damage {
  /** Places in `BREAKERS`. */
  readonly broken: readonly number[];
  /** Messages of threads that are nowhere, by thread. */
  readonly orphans: readonly number[];
  /** Threads of one slot that were activated apart. */
  readonly activated: readonly number[];
  /** A peer deleted a lane. */
  readonly lost: boolean;
  /** A peer wrote in a lane of another. */
  readonly forged: boolean;
}

const ULIDS = /[0-7][0-9A-HJKMNP-TV-Z]{25}/g;
const KEPT = new Set(openWith().chat.toJSONL().match(ULIDS));
for (const id of [...KEPT]) KEPT.add(deriveAnswerId(id));

/** Gives the ids that a breaker adds to the healthy document their time and names of their own. Slots have theirs. */
function moveIds(text: string, breaker: number): string {
  return text.replace(ULIDS, (id) =>
    KEPT.has(id) || timeOfUlid(id) === 0 ? id : deriveUlid(timeOfUlid(id), 'moved', breaker, id),
  );
}

/** What each breaker adds, by header. What is not text is done by a peer. */
const ADDED: readonly (readonly (readonly [header: string, line: string])[])[] = BREAKERS.map(
  ({ rule, open }, at) => {
    if (rule === 'IN17' || rule === 'IN19') return [];
    let above = '';
    return moveIds(open().chat.toJSONL(), at)
      .split('\n')
      .flatMap((line): (readonly [string, string])[] => {
        if (line.startsWith('{"type":"lane"')) above = line;
        else if (line !== '') return [[above, line]];
        return [];
      });
  },
);

/** Every breaker at once. */
export const EVERYTHING: Damage = {
  broken: BREAKERS.map((_, at) => at),
  orphans: [],
  activated: [],
  lost: true,
  forged: true,
};

export const damage: fc.Arbitrary<Damage> = fc.record({
  broken: fc.uniqueArray(fc.nat(BREAKERS.length - 1), { maxLength: 6 }),
  orphans: fc.array(fc.nat(3), { maxLength: 3 }),
  activated: fc.array(fc.integer({ min: 3, max: 5 }), { maxLength: 3 }),
  lost: fc.boolean(),
  forged: fc.boolean(),
});

const LOST = 'Gone in a moment';

/** Replicas that held it while it broke, with the same bytes. */
export function openDamaged(
  { broken, orphans, activated, lost, forged }: Damage,
  count: number,
): readonly OpenDocument[] {
  const byHeader = new Map<string, Set<string>>();
  const add = (above: string, line: string): void => {
    const lines = byHeader.get(above);
    if (lines === undefined) byHeader.set(above, new Set([line]));
    else lines.add(line);
  };
  const own = header('a');
  for (const line of healthyLines()) add(own, JSON.stringify(line));
  for (const at of broken) for (const [above, line] of ADDED[at] ?? []) add(above, line);
  for (const [at, name] of orphans.entries()) {
    const thread_id = idAt(70, `nowhere ${name}`);
    add(own, JSON.stringify(message(idAt(71, `${at}`), 71 + at, { thread_id })));
  }
  for (const [at, number] of activated.entries()) {
    const thread_id = slotThread(number);
    add(own, JSON.stringify(thread(thread_id, { slot: { ...SLOT, number } })));
    add(own, JSON.stringify({ type: 'activation', id: idAt(80, `${at}`), thread_id, slot: SLOT }));
  }
  if (lost) add(header('gone'), JSON.stringify(message(idAt(50, 'gone'), 50, { content: LOST })));
  const texts = [...byHeader].map(([above, lines]) => jsonl(above, [...lines]));
  const first = openText(...texts);
  const whole = Y.encodeStateAsUpdate(first.doc);
  const replicas = [first];
  while (replicas.length < count) {
    const doc = new Y.Doc({ guid: 'chat' });
    Y.applyUpdate(doc, whole);
    replicas.push({ doc, chat: openChat(doc, { environment: stillEnvironment() }) });
  }
  if (!lost && !forged) return replicas;
  const attack = writeAttack(whole, lost, forged);
  for (const { doc } of replicas) Y.applyUpdate(doc, attack);
  return replicas;
}

function writeAttack(whole: Uint8Array, lost: boolean, forged: boolean): Uint8Array {
  const peer = new Y.Doc({ guid: 'chat' });
  peer.clientID = 4_000_000_000;
  Y.applyUpdate(peer, whole);
  const map = peer.getMap('chat');
  const before = Y.encodeStateVector(peer);
  const texts = [...map].filter(([, text]) => text instanceof Y.Text) as [string, Y.Text][];
  const isLost = ([, text]: readonly [string, Y.Text]): boolean => text.toString().includes(LOST);
  if (forged) texts.find((each) => !isLost(each))?.[1].insert(0, 'forged\n');
  const key = lost ? texts.find(isLost)?.[0] : undefined;
  if (key !== undefined) map.delete(key);
  return Y.encodeStateAsUpdate(peer, before);
}

export function bytesOf(doc: Y.Doc): string {
  return Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64');
}
