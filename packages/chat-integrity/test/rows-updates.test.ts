import type { Message } from '@chatdoc/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { createParts } from '../../../tools/parts.js';
import {
  ADDING_UPDATES,
  chatScripts,
  forgeUpdate,
  HARMING_UPDATES,
  type HostileUpdate,
  hostileUpdates,
  writeChat,
} from '../../chat-testkit/src/index.js';
import {
  closePeers,
  expectCounted,
  expectUsable,
  openPeers,
  type Peer,
  readEverything,
  readReports,
  runs,
} from './rows-world.js';

const { test, all } = createParts();
const met = new Set<string>();

/** What a hostile client makes of what `target` holds, delivered to it; it goes on from there. */
function attack(target: Peer, updates: readonly HostileUpdate[]): Uint8Array[] {
  return updates.flatMap((update, at) => {
    const forged = forgeUpdate(target.doc, update, 4_000_000_000 + at);
    if (forged === undefined) return [];
    met.add(update.kind);
    Y.applyUpdate(target.doc, forged);
    return [forged];
  });
}

function openWith(script: Parameters<typeof writeChat>[0]): readonly [Peer, Peer, Peer] {
  const peers = openPeers(3) as [Peer, Peer, Peer];
  peers[0].chat.importJSONL(writeChat(script).toJSONL());
  return peers;
}

describe('raw Yjs updates through a live peer', () => {
  test('[HO4] [HO2] what is no lane changes no record, wherever it is put', () => {
    fc.assert(
      fc.property(
        chatScripts(),
        fc.array(hostileUpdates(), { minLength: 1, maxLength: 12 }),
        (script, hostile) => {
          const peers = openWith(script);
          const [first] = peers;
          const { message_id } = first.chat.send({
            thread_id: first.chat.createThread({ created_by: 'ada' }).thread_id,
            sender_id: 'ada',
            content: 'How?',
            expects: 'answer',
          });
          const part = first.chat
            .openAttempt({ prompt_id: message_id, sender_id: 'bot', runner_id: 'laptop' })
            .openPart();
          part.append('streamed ');
          const records = peers.map(({ chat }) => readEverything(chat));
          const digest = first.chat.foldDigest();
          const updates = attack(first, hostile);
          for (const { doc } of peers) for (const update of updates) Y.applyUpdate(doc, update);
          for (const [at, peer] of peers.entries()) {
            expectCounted(peer);
            expect(readEverything(peer.chat), '[HO4] no record changes').toEqual(records[at]);
            expect(peer.chat.foldDigest()).toBe(digest);
            expect(readReports(peer.chat)).toEqual(readReports(first.chat));
            expect(peer.chat.damage()).toEqual([]);
          }
          part.append('to the end');
          const answers = peers.map(({ chat }) =>
            chat.messages(chat.message(message_id)?.thread_id ?? '').at(-1),
          );
          expect(answers.map((answer) => answer?.content)).toEqual(Array(3).fill('streamed to the end'));
          expectUsable(peers);
          closePeers(peers);
        },
      ),
      runs(60),
    );
  });

  test('[HO4] [HO2] what takes lanes away is reported, and whoever held them gives them back', () => {
    fc.assert(
      fc.property(
        chatScripts(),
        fc.array(hostileUpdates({ harming: true }), { minLength: 1, maxLength: 12 }),
        (script, hostile) => {
          const peers = openWith(script);
          const [first, second, third] = peers;
          const honest = first.chat.threads().flatMap(({ thread_id }) => first.chat.messageIds(thread_id));
          const before = honest.map((id) => first.chat.message(id) as Message);
          const isHarmed = attack(first, hostile).length > 0 && first.chat.damage().length > 0;
          for (const peer of peers) {
            expectCounted(peer);
            readEverything(peer.chat, ['', '__proto__']);
            expect(readReports(peer.chat)).toEqual(readReports(first.chat));
            expect(peer.chat.damage().length > 0).toBe(isHarmed);
          }
          third.chat.rehost();
          second.chat.rehost();
          for (const peer of peers) {
            expectCounted(peer);
            // What stood under no header is no lane of anybody.
            expect(peer.chat.damage().filter(({ header }) => header !== null)).toEqual([]);
            expect(
              honest.map((id) => peer.chat.message(id)),
              '[HO4] every record is back',
            ).toEqual(before);
            expect(readReports(peer.chat)).toEqual(readReports(first.chat));
          }
          expectUsable(peers);
          closePeers(peers);
        },
      ),
      runs(40, 12),
    );
  });

  it('[HO4] the updates above were of every kind', async () => {
    await all();
    expect([...ADDING_UPDATES, ...HARMING_UPDATES].filter((kind) => !met.has(kind))).toEqual([]);
  });
});
