import * as Y from 'yjs';
import { assertBytes, assertEqual, assertFault, assertOk, assertTrue } from './assertions.js';
import { digestOf, digestOfUpdates, writeHistory } from './sample-chat.js';
import type { StorageCaseOutline } from './storage-case.js';

const updatesOf = (rows: readonly { readonly update: Uint8Array }[]): Uint8Array[] =>
  rows.map(({ update }) => update);

/** The name of the one case that takes long. */
export const MANY_ROWS = 'many rows';

/** What a storage must hold by itself. */
export const ROW_CASES: readonly StorageCaseOutline[] = [
  {
    rule: 'ST2',
    name: 'an empty medium has no rows, and loading writes none',
    async run(bench) {
      for (let round = 0; round < 2; round += 1) {
        const { rows, damage } = await bench.load();
        assertEqual([rows, damage], [[], []], 'rows and damage');
      }
    },
  },
  {
    rule: 'ST3',
    name: 'rows come back byte for byte, in the order of writing, under names of their own',
    async run(bench) {
      const { updates } = writeHistory(12);
      const storage = bench.open();
      const written = await storage.append(updates.slice(0, 5));
      assertOk(written, 'append');
      for (const update of updates.slice(5, 9)) assertOk(await storage.append([update]), 'append');
      assertOk(await storage.append([]), 'append of nothing');
      assertOk(await storage.close(), 'close');
      await bench.store(updates.slice(9));
      const { rows, damage } = await bench.load();
      assertBytes(updatesOf(rows), updates, 'rows');
      const names = rows.map(({ row }) => row);
      assertEqual(names.slice(0, 5), written.rows, 'the names of the rows of one append');
      assertEqual(new Set(names).size, updates.length, 'the number of names');
      assertEqual(damage, [], 'damage');
      assertTrue(
        rows.every(({ verified }) => verified),
        'every row to be verified',
      );
    },
  },
  {
    rule: 'ST3',
    name: 'rows that are written without waiting stand in the order of the calls',
    async run(bench) {
      const { updates } = writeHistory(20);
      const storage = bench.open();
      const all = await Promise.all(updates.map((update) => storage.append([update])));
      for (const written of all) assertOk(written, 'append');
      assertBytes(updatesOf((await bench.load()).rows), updates, 'rows');
    },
  },
  {
    rule: 'ST3',
    name: 'of a view into a larger buffer only the view is stored, as it was at the call',
    async run(bench) {
      const [update = new Uint8Array()] = writeHistory(1).updates;
      const buffer = new Uint8Array(update.length + 100_000);
      buffer.set(update, 50_000);
      const storage = bench.open();
      assertOk(await storage.append([buffer.subarray(50_000, 50_000 + update.length)]), 'append');
      const { rows } = await bench.load();
      assertBytes(updatesOf(rows), [update], 'rows');
      assertEqual(rows[0]?.update.buffer.byteLength, update.length, 'the bytes behind the row');
    },
  },
  {
    rule: 'ST3',
    name: MANY_ROWS,
    async run(bench) {
      const { updates, doc } = writeHistory(bench.manyRows);
      const storage = bench.open();
      for (let at = 0; at < updates.length; at += 100) {
        assertOk(await storage.append(updates.slice(at, at + 100)), 'append');
      }
      assertBytes(updatesOf((await bench.load()).rows), updates, 'rows');
      const { ready, digest } = await bench.reload();
      assertOk(ready, 'ready');
      assertEqual(ready.outcome, 'loaded', 'the outcome');
      assertEqual(digest, digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST4',
    name: 'rows that stand twice read as once',
    async run(bench) {
      const { updates, doc } = writeHistory(10);
      await bench.store(updates);
      await bench.store([...updates].reverse());
      const { ready, digest } = await bench.reload();
      assertEqual(ready, { ok: true, outcome: 'loaded', rows: 20 }, 'ready');
      assertEqual(digest, digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST8',
    name: 'an aborted write says so, stores none of it or the first of it, and can be given again',
    needs: ['abortWrite'],
    async run(bench) {
      const { updates, doc } = writeHistory(6);
      const storage = bench.open();
      assertOk(await storage.append(updates.slice(0, 2)), 'append');
      await bench.inflict('abortWrite');
      assertFault(await storage.append(updates.slice(2, 4)), 'aborted', 'the code');
      const { rows, damage } = await bench.load();
      assertBytes(updatesOf(rows), updates.slice(0, rows.length), 'rows');
      assertTrue(rows.length >= 2 && rows.length <= 4, 'what was confirmed to be there');
      assertEqual(damage, [], 'damage');
      assertOk(await storage.append(updates.slice(2)), 'the same append again');
      assertEqual(digestOfUpdates(updatesOf((await bench.load()).rows)), digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST8',
    name: 'a write without room says so, keeps what stands, and can be given again',
    needs: ['limitRoom'],
    async run(bench) {
      const { updates, doc } = writeHistory(6);
      // Enough for any medium that counts its room in blocks.
      const large = writeHistory(2000, 'large').updates;
      const storage = bench.open();
      assertOk(await storage.append(updates.slice(0, 4)), 'append');
      await bench.inflict('limitRoom', true);
      assertFault(await storage.append([...updates.slice(4), ...large]), 'quota', 'the code');
      assertBytes(updatesOf((await bench.load()).rows.slice(0, 4)), updates.slice(0, 4), 'rows');
      await bench.inflict('limitRoom', false);
      assertOk(await storage.append(updates.slice(4)), 'append with room');
      assertEqual(digestOfUpdates(updatesOf((await bench.load()).rows.slice(0, 6))), digestOf(doc), 'digest');
    },
  },
  {
    rule: 'ST12',
    name: 'closed while writing: what is confirmed is there',
    async run(bench) {
      const { updates } = writeHistory(30);
      const storage = bench.open();
      const writing = updates.map((update) => storage.append([update]));
      let settled = 0;
      for (const each of writing) {
        void each.then(() => {
          settled += 1;
        });
      }
      const closing = storage.close();
      const late = storage.append([new Uint8Array([0, 0])]);
      assertOk(await closing, 'close');
      assertEqual(settled, writing.length, 'the writes that settled before the close');
      let confirmed = 0;
      for (const written of await Promise.all(writing)) {
        if (written.ok) confirmed += 1;
        else assertFault(written, 'closed', 'the code of a write that was not confirmed');
      }
      assertFault(await late, 'closed', 'the code of a write after the close');
      const { rows } = await bench.load();
      assertBytes(updatesOf(rows.slice(0, confirmed)), updates.slice(0, confirmed), 'confirmed rows');
      assertTrue(rows.length <= updates.length, 'nothing that came after the close');
    },
  },
  {
    rule: 'ST12',
    name: 'a closed storage answers `closed`, and can be closed again',
    async run(bench) {
      const storage = bench.open();
      assertOk(await storage.append(writeHistory(1).updates), 'append');
      assertOk(await storage.close(), 'close');
      assertOk(await storage.close(), 'close again');
      const empty = new Uint8Array([0, 0]);
      assertFault(await storage.load(), 'closed', 'the code of load');
      assertFault(await storage.append([empty]), 'closed', 'the code of append');
      assertFault(await storage.replace([], empty), 'closed', 'the code of replace');
      assertFault(await storage.setAside([]), 'closed', 'the code of setAside');
      assertFault(await storage.listAside(), 'closed', 'the code of listAside');
      assertEqual((await bench.load()).rows.length, 1, 'the number of rows');
    },
  },
  {
    rule: 'ST12',
    name: 'a storage that was never used can be closed',
    async run(bench) {
      assertOk(await bench.open().close(), 'close');
    },
  },
  {
    rule: 'ST13',
    name: 'two openers: both write, and neither replaces rows of the other',
    async run(bench) {
      const [one, two] = [bench.open(), bench.open()];
      const [a, b] = [writeHistory(6, 'a'), writeHistory(6, 'b')];
      const rows: number[] = [];
      for (let at = 0; at < 6; at += 1) {
        const written = await one.append(a.updates.slice(at, at + 1));
        assertOk(written, 'append of the first');
        rows.push(...written.rows);
        assertOk(await two.append(b.updates.slice(at, at + 1)), 'append of the second');
      }
      assertOk(await one.replace(rows, Y.encodeStateAsUpdate(a.doc)), 'replace');
      const loaded = await bench.load();
      assertEqual(loaded.rows.length, 7, 'the number of rows');
      assertEqual(loaded.damage, [], 'damage');
      const both = digestOfUpdates([...a.updates, ...b.updates]);
      assertEqual(digestOfUpdates(updatesOf(loaded.rows)), both, 'the digest');
      assertOk(await two.replace(rows, Y.encodeStateAsUpdate(b.doc)), 'replace of rows that are gone');
      assertEqual(digestOfUpdates(updatesOf((await bench.load()).rows)), both, 'the digest after it');
    },
  },
  {
    rule: 'ST14',
    name: 'a snapshot takes the place of its rows',
    async run(bench) {
      const { updates, doc } = writeHistory(20);
      const storage = bench.open();
      const written = await storage.append(updates.slice(0, 15));
      assertOk(written, 'append');
      const kept = await storage.append(updates.slice(15));
      assertOk(kept, 'append');
      const replaced = await storage.replace(written.rows, Y.encodeStateAsUpdate(doc));
      assertOk(replaced, 'replace');
      const { rows } = await bench.load();
      const names = rows.map(({ row }) => row).sort((a, b) => a - b);
      assertEqual(
        names,
        [...kept.rows, ...replaced.rows].sort((a, b) => a - b),
        'the rows',
      );
      assertEqual(digestOfUpdates(updatesOf(rows)), digestOf(doc), 'the digest');
      const more = await storage.append(updates.slice(0, 1));
      assertOk(more, 'append');
      assertTrue(![...written.rows, ...names].includes(more.rows[0] as number), 'a name to be used once');
    },
  },
  {
    rule: 'ST14',
    name: 'a replacement that fails leaves every row',
    needs: ['abortWrite'],
    async run(bench) {
      const { updates, doc } = writeHistory(20);
      const storage = bench.open();
      const written = await storage.append(updates);
      assertOk(written, 'append');
      await bench.inflict('abortWrite');
      assertFault(await storage.replace(written.rows, Y.encodeStateAsUpdate(doc)), 'aborted', 'the code');
      const { rows } = await bench.load();
      for (const row of written.rows) {
        assertTrue(
          rows.some((each) => each.row === row),
          `row ${row} to be there`,
        );
      }
      assertEqual(digestOfUpdates(updatesOf(rows)), digestOf(doc), 'the digest');
    },
  },
  {
    rule: 'ST5',
    name: 'a row that was changed is named, not loaded, and set aside with its bytes',
    needs: ['corruptRow'],
    async run(bench) {
      const { updates } = writeHistory(8);
      await bench.store(updates);
      const size = updates[3]?.length ?? 0;
      for (let at = 0; at < size; at += Math.ceil(size / 16)) {
        await bench.inflict('corruptRow', 3, (bytes) => flip(bytes, at));
        const { rows, damage } = await bench.load();
        assertEqual(rows.length, 7, `the number of rows with byte ${at} changed`);
        assertEqual(
          damage.map(({ code }) => code),
          ['corrupt_row'],
          'damage',
        );
        await bench.inflict('corruptRow', 3, (bytes) => flip(bytes, at));
        assertEqual((await bench.load()).damage, [], 'damage after it was changed back');
      }
      await bench.inflict('corruptRow', 3, (bytes) => flip(bytes, 0));
      const storage = bench.open();
      const loaded = await storage.load();
      assertOk(loaded, 'load');
      assertOk(await storage.setAside(loaded.damage), 'setAside');
      const after = await bench.load();
      assertEqual([after.rows.length, after.damage], [7, []], 'rows and damage once it is aside');
      const aside = await storage.listAside();
      assertOk(aside, 'listAside');
      assertEqual(
        aside.rows.map(({ row, code }) => ({ row, code })),
        loaded.damage,
        'what is aside',
      );
      const bytes = aside.rows.flatMap((each) => (each.bytes === null ? [] : [each.bytes]));
      assertBytes(bytes, [flip(updates[3] as Uint8Array, 0)], 'bytes aside');
    },
  },
];

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 0x10 : byte));
}
