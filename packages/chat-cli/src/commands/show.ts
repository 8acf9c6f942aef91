import type { Message, Thread } from '@chatdoc/schema';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { type Io, usesColor, widthOf, writeTo } from '../io.js';
import { nameFile, reportFailure } from '../say/failure.js';
import { FILES, fitHelp } from '../say/help.js';
import { countNoun, nameReason } from '../say/nouns.js';
import { escapeJson } from '../say/plain-text.js';
import { renderTranscript } from '../say/transcript.js';
import { findThread } from '../sources/find-record.js';
import { type OpenedChat, openSource } from '../sources/open-source.js';
import { readSource } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc show`. */
export function addShow({ program, io, finish }: CommandSetting): void {
  program
    .command('show')
    .summary('print a chat')
    .description('Prints a chat: its threads, and in each the messages in reading order. Times are UTC.')
    .argument('<FILE>', 'a document or an old chat; - reads standard input')
    .option('-t, --thread <ID>', 'only this thread: its id, or the beginning of it')
    .option('-j, --json', 'print the records as JSON, with their ids and history')
    .showHelpAfterError('Run chatdoc show --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
${FILES}

Examples:
  $ chatdoc show team.chat | less
  $ chatdoc show team.ychat --thread 01M0F0KX
  $ chatdoc show team.chat --json | jq '.threads[].messages[].content'

Exit codes:
  0  the chat was printed
  2  nothing was printed: wrong usage, or the file could not be read`,
        io,
      ),
    )
    .action(async (file: string, options: ShowOptions) => finish(await showFile(file, options, io)));
}

interface ShowOptions {
  readonly thread?: string;
  readonly json?: boolean;
}

async function showFile(file: string, options: ShowOptions, io: Io): Promise<ExitCode> {
  const source = await readSource(file, io);
  if (!source.ok) return reportFailure(file, source, io);
  const opened = openSource(source.bytes);
  if (!opened.ok) return reportFailure(file, opened, io);
  const { chat } = opened;
  let thread_id: string | undefined;
  if (options.thread !== undefined) {
    const found = findThread(chat, options.thread);
    if (!found.ok) return reportFailure(file, found, io);
    thread_id = found.id;
  }
  const text =
    options.json === true
      ? escapeJson(`${JSON.stringify(describeChat(opened, thread_id), null, 2)}\n`)
      : renderTranscript(chat, {
          color: usesColor(io.stdout, io.env),
          width: widthOf(io.stdout),
          ...(thread_id !== undefined && { thread_id }),
        });
  await writeTo(io.stdout, text);
  for (const note of listNotes(opened)) {
    await writeTo(io.stderr, `chatdoc: ${nameFile(file)}: ${note}\n`);
  }
  return EXIT.ok;
}

/** Rows of which a reader misses nothing. */
const NO_CONTENT: ReadonlySet<string> = new Set(['jupyter_user', 'jupyter_metadata']);

/** What stands in the file and not in the transcript. */
function listNotes({ chat, plan, notes }: OpenedChat): readonly string[] {
  const found = [...notes];
  const quarantined = chat.quarantine().length;
  if (quarantined > 0)
    found.push(`${countNoun(quarantined, 'line')} could not be read; chatdoc verify says more`);
  const orphans = chat.waiting().messages_without_thread;
  if (orphans > 0)
    found.push(
      `${countNoun(orphans, 'message')} not shown: the thread is not in the file; chatdoc verify says more`,
    );
  const hidden = chat.report().hidden_lanes.length;
  if (hidden > 0)
    found.push(
      `${countNoun(hidden, 'lane')} from a later version of chatdoc not shown; update chatdoc to read all`,
    );
  const aside = new Map<string, number>();
  for (const { reason = '' } of plan?.ledger.rows.filter(({ outcome }) => outcome === 'set_aside') ?? []) {
    if (!NO_CONTENT.has(reason)) aside.set(reason, (aside.get(reason) ?? 0) + 1);
  }
  const reasons = [...aside].map(([reason, count]) => nameReason(reason, count));
  if (reasons.length > 0) found.push(`not shown: ${reasons.join(', ')}, which chatdoc migrate keeps aside`);
  return found;
}

interface ShownThread extends Thread {
  readonly config: object;
  readonly state: object;
  readonly messages: readonly Message[];
}

function describeChat(
  { chat, format }: OpenedChat,
  thread_id: string | undefined,
): { readonly format: string; readonly doc_id: string | null; readonly threads: readonly ShownThread[] } {
  const threads = chat
    .threads()
    .filter((thread) => thread_id === undefined || thread.thread_id === thread_id);
  return {
    format,
    doc_id: chat.docId(),
    threads: threads.map((thread) => ({
      ...thread,
      config: chat.config(thread.thread_id),
      state: chat.state(thread.thread_id),
      messages: chat.messages(thread.thread_id),
    })),
  };
}
