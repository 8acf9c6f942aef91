import { expect, it } from 'vitest';
import * as Y from 'yjs';
import { openChatFile, recoverChatFile } from '../src/file/index.js';
import { readFrame } from '../src/update/frame.js';
import { Disk } from './fault-disk.js';
import {
  create,
  expectBytes,
  find,
  isMore,
  NAME,
  PATH,
  say,
  scale,
  startProcess,
  textsOf,
  thin,
} from './fault-world.js';

/** F8: a log that is cut at each byte, and one of which a bit of each byte is flipped. */

const LENGTH = Math.min(8 * 1024, scale(8 * 1024, 5 * 1024));

/** A log of that many bytes or a little more, and where each of its frames ends. */
async function writeLog(
  length: number,
): Promise<{ bytes: Uint8Array; ends: number[]; prefixes: string[][] }> {
  const disk = new Disk();
  const file = await create(startProcess(disk, 'log'));
  for (let n = 0; (disk.read(NAME)?.length ?? 0) < length; n += 1) {
    say(file.chat, `message ${n} ${'text '.repeat(10 + (n % 50))}`);
    // Several frames of one flush, and seals that are void.
    if (n % 3 > 0) await file.flush();
  }
  await file.close();
  const bytes = disk.read(NAME) as Uint8Array;
  const ends: number[] = [];
  const prefixes: string[][] = [[]];
  const doc = new Y.Doc();
  for (let at = 0; at < bytes.length; ) {
    const read = readFrame(bytes, at);
    if (!read.ok) throw new Error(read.code);
    at = read.end;
    Y.applyUpdate(doc, read.frame.payload);
    ends.push(at);
    prefixes.push(contentsOf(doc));
  }
  return { bytes, ends, prefixes };
}

/** What lines of whole messages say, read apart from the library. */
function contentsOf(doc: Y.Doc): string[] {
  const contents: string[] = [];
  for (const lane of doc.getMap('chat').values()) {
    for (const [, content] of String(lane).matchAll(/"content":"(message [^"]*)"/g)) {
      contents.push(content as string);
    }
  }
  return contents.sort();
}

it('[FI2] [FI1] F8: a log cut at any byte loads its longest valid prefix, keeps the torn rest, and can be written', async () => {
  const { bytes, ends, prefixes } = await writeLog(isMore ? 8 * LENGTH : LENGTH);
  let cuts = 0;
  const places = thin([...bytes.keys()]);
  for (const cut of places) {
    const disk = Disk.holding({ [NAME]: bytes.subarray(0, cut) });
    const process = startProcess(disk, `cut ${cut}`);
    const opened = await openChatFile(PATH, process.options);
    const whole = ends.filter((end) => end <= cut).length;
    if (whole === 0) {
      expect(opened).toMatchObject({ ok: false, code: cut < 4 ? 'not_a_document' : 'damaged' });
      cuts += 1;
      continue;
    }
    if (!opened.ok) throw new Error(opened.code);
    const { file } = opened;
    const torn = cut - (ends[whole - 1] as number);
    expect(file.opened).toMatchObject({ frames: whole, torn_bytes: torn, damaged_bytes: 0, gaps: 0 });
    expect(textsOf(file.chat).sort()).toEqual(prefixes[whole]);
    expect(file.readOnly).toBe(false);
    expect(await file.flush()).toEqual({ ok: true });
    expect(disk.list()).toEqual([NAME]);
    cuts += 1;
    // At the borders of frames, and here and there within.
    if (torn > 45 && cut % 8 > 0) {
      await file.close();
      continue;
    }
    say(file.chat, 'goes on');
    expect(await file.flush()).toEqual({ ok: true });
    expectBytes(
      disk.read(`${NAME}.torn-1`),
      torn === 0 ? undefined : bytes.subarray(ends[whole - 1] as number, cut),
    );
    expect(file.aside).toEqual(torn === 0 ? [] : [`${PATH}.torn-1`]);
    await file.close();
    const again = await find(disk);
    expect(textsOf(again.chat).sort()).toEqual(['goes on', ...(prefixes[whole] as string[])].sort());
    expect(again.opened).toMatchObject({ torn_bytes: 0, damaged_bytes: 0, gaps: 0 });
    await again.close();
    expect(disk.open).toBe(0);
  }
  expect(cuts).toBe(places.length);
  expect(bytes.length).toBeGreaterThanOrEqual(LENGTH);
});

it('[FI3] [FI4] F8: a log of which one bit is flipped opens with what does not build on it, writes nothing, and is recovered', async () => {
  const { bytes, ends, prefixes } = await writeLog(LENGTH);
  const everything = prefixes.at(-1) as string[];
  let flips = 0;
  let recovered = 0;
  let expected = 0;
  let readOnly = 0;
  const places = thin([...bytes.keys()]);
  for (const at of places) {
    const flipped = bytes.slice();
    (flipped[at] as number) ^= 1 << (at % 8);
    const disk = Disk.holding({ [NAME]: flipped });
    const index = ends.findIndex((end) => at < end);
    const isLast = index === ends.length - 1;
    const opened = await openChatFile(PATH, startProcess(disk, `flip ${at}`).options);
    if (!opened.ok) throw new Error(`${at}: ${opened.code}`);
    const { file } = opened;
    // The last frame is taken for torn: who cannot tell, loses nothing that is known to be whole.
    expect(file.readOnly).toBe(!isLast);
    expect(file.opened.damaged_bytes + file.opened.torn_bytes).toBeGreaterThan(0);
    const seen = textsOf(file.chat);
    // The valid prefix, and nothing that was never written.
    for (const content of prefixes[index] as string[]) expect(seen).toContain(content);
    for (const content of seen) expect(everything).toContain(content);
    if (!isLast) {
      readOnly += 1;
      expect(() => say(file.chat, 'never')).toThrow();
      expect((await file.compact()).ok).toBe(false);
    }
    await file.close();
    expectBytes(disk.read(NAME), flipped);
    expect(disk.list()).toEqual([NAME]);
    flips += 1;
    const header = at < (ends[index - 1] ?? 0) + 40;
    if (at % (header ? 4 : 8) > 0) continue;
    const result = await recoverChatFile(PATH, startProcess(disk, `recover ${at}`).options);
    if (!result.ok) throw new Error(`${at}: ${result.code}`);
    expect(result.aside).toBe(`${PATH}.damaged-1`);
    expectBytes(disk.read(`${NAME}.damaged-1`), flipped);
    const again = await find(disk);
    expect(again.readOnly).toBe(false);
    expect(again.opened).toMatchObject({ torn_bytes: 0, damaged_bytes: 0, gaps: 0, frames: 1 });
    const found = textsOf(again.chat);
    for (const content of seen) expect(found).toContain(content);
    // At most what stood in the frame itself is lost.
    if (!header) {
      recovered += found.length;
      expected += everything.length;
    }
    await again.close();
    expect(disk.open).toBe(0);
  }
  expect(flips).toBe(places.length);
  expect(readOnly).toBeGreaterThan(0.9 * flips);
  // Lines of damaged frames come back, and of those that build on them.
  expect(recovered / expected).toBeGreaterThan(0.7);
});

it('[FI4] a whole file is left alone by a recovery', async () => {
  const { bytes } = await writeLog(1024);
  const disk = Disk.holding({ [NAME]: bytes });
  const result = await recoverChatFile(PATH, startProcess(disk, 'whole').options);
  expect(result).toMatchObject({ ok: true, unverified_lines: 0 });
  expectBytes(disk.read(NAME), bytes);
  expect(disk.list()).toEqual([NAME]);
});
