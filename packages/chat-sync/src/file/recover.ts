import { type Chat, openChat } from '@chatdoc/schema';
import { parseLine } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { type FrameHead, readDamagedFrame } from '../update/frame.js';
import { keepAside } from './atomic.js';
import { type OpenFault, snapshotFrame } from './chat-file.js';
import { FaultError } from './fs.js';
import { openLog } from './log.js';
import { logOptionsOf, type OpenChatFileOptions, progressOf } from './open-chat-file.js';
import { loadUpdates, type OpenReport, type ReadLog, trustingDoor } from './read-document.js';

export type Recovered =
  | {
      readonly ok: true;
      readonly found: OpenReport;
      /** Lines that were read out of frames whose checksum is wrong: they may hold wrong letters. */
      readonly unverified_lines: number;
      /** The damaged file as it was; absent if nothing was wrong. */
      readonly aside?: string;
    }
  | OpenFault;

/**
 * Writes all that can be read of a damaged file in its place, after the damaged one was copied aside. Frames behind
 * the damage count if they do not build on what is lost. Of a frame whose checksum is wrong the lines that can still
 * be read are taken, never the structs: a wrong client or clock would part this document from all its replicas.
 * Does nothing to a file that is whole.
 */
export async function recoverChatFile(
  path: string,
  options: Pick<OpenChatFileOptions, 'fileEnvironment' | 'patience_ms' | 'onProgress'> = {},
): Promise<Recovered> {
  const logOptions = logOptionsOf(options);
  const opened = await openLog(path, false, logOptions, progressOf(options, 'read'), true);
  if (!opened.ok) return opened;
  const { head, read, log, bytes } = opened;
  const doc = new Y.Doc();
  const found = loadUpdates(doc, head, read, progressOf(options, 'load'));
  const isWhole = found.torn_bytes + found.damaged_bytes + found.gaps + found.strangers === 0;
  if (isWhole || read.hasLater || log === undefined) {
    await log?.close();
    if (read.hasLater) return { ok: false, code: 'later_version' };
    return { ok: true, found, unverified_lines: 0 };
  }
  let aside: string | undefined;
  let unverified_lines = 0;
  const replaced = await log.replace(
    async ({ others }) => {
      const door = trustingDoor(doc, head);
      for (const update of others) door.receiveUpdate(update);
      const chat = openChat(doc);
      unverified_lines = readScraps(chat, head, read, bytes);
      chat.close();
      // Nothing in place of something would be no recovery.
      if (found.frames === 0 && unverified_lines === 0) throw new FaultError('unreadable');
      aside = await keepAside(logOptions.environment, path, 'damaged', bytes);
      return snapshotFrame(doc, head);
    },
    progressOf(options, 'write'),
  );
  await (replaced.ok ? replaced.log : log).close().catch(() => undefined);
  if (replaced.ok) return { ok: true, found, unverified_lines, ...(aside !== undefined && { aside }) };
  const { others: _, ...fault } = replaced;
  return fault;
}

/**
 * The whole lines of damaged frames, and of the frames that build on them. All in a document of its own: of these
 * structs none is taken.
 */
function readScraps(chat: Chat, head: FrameHead, read: ReadLog, bytes: Uint8Array): number {
  const scratch = new Y.Doc();
  const door = trustingDoor(scratch, head);
  let found = '';
  const scraps = read.scraps.map(({ start, end }) => ({ start, scrap: bytes.subarray(start, end) }));
  for (const piece of [...scraps, ...read.updates].sort((a, b) => a.start - b.start)) {
    const payload = 'scrap' in piece ? readDamagedFrame(piece.scrap)?.payload : piece.payload;
    const isRead = payload !== undefined && door.receiveUpdate(payload).ok;
    if (!isRead && 'scrap' in piece) found += findLines(piece.scrap);
  }
  const lines = `${openChat(scratch).toJSONL()}${found}`.split('\n');
  const whole = lines.filter((line) => parseLine(line).ok);
  const imported = chat.importJSONL(whole.map((line) => `${line}\n`).join(''));
  return imported.ok ? imported.lines : 0;
}

const LINE = '{"type":"';

/** Lines as they stand in bytes of which nothing else makes sense: in an update a text is whole, header first. */
function findLines(scrap: Uint8Array): string {
  let jsonl = '';
  // The last one may go on behind the end.
  for (const raw of new TextDecoder().decode(scrap).split('\n').slice(0, -1)) {
    const start = raw.indexOf(LINE);
    if (start >= 0) jsonl += `${raw.slice(start)}\n`;
  }
  return jsonl;
}
