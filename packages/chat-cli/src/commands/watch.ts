import { type Sample, type Watcher, watch } from '@chatdoc/integrity';
import type { Chat } from '@chatdoc/schema';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { reportFailure } from '../say/failure.js';
import { fitHelp } from '../say/help.js';
import { createWatchDisplay, type WatchView } from '../say/watch-display.js';
import type { FollowedChat } from '../sources/followed-chat.js';
import { FollowedFile } from '../sources/followed-file.js';
import { FollowedRoom, isRoomUrl, readRoomUrl } from '../sources/followed-room.js';
import { type Failure, fail } from '../sources/read-source.js';
import type { CommandSetting } from './setting.js';

/** Adds `chatdoc watch`. */
export function addWatch({ program, io, finish }: CommandSetting): void {
  program
    .command('watch')
    .summary('see what is wrong as it happens')
    .description(
      'Counts what is wrong with a chat while others write it, and where most of it is: on a terminal in one place, elsewhere a line whenever something has changed. It writes nothing, and prints no content of the chat. If the connection is lost, it says so and goes on.',
    )
    .argument('<DOCUMENT|URL>', 'a document (.ychat), or a room that is served')
    .option('-i, --interval <SECONDS>', 'between two samples', '1')
    .option('-j, --json', 'print each sample as JSON, on a line')
    .option('--once', 'end after the first sample')
    .showHelpAfterError('Run chatdoc watch --help to see how it is used.')
    .addHelpText('after', () =>
      fitHelp(
        `
A room is ws://HOST:PORT/ID.GENERATION, with ?token=TOKEN behind it where the
server asks for one. A token from CHATDOC_TOKEN is not seen by other users.

Examples:
  $ chatdoc watch team.ychat
  $ chatdoc watch ws://localhost:4321/01M0F0KXV7ZC9BN2T1QK3H5J8D.0
  $ chatdoc watch team.ychat --json | jq '.counters'

Exit codes:
  0  it was stopped by Ctrl-C or SIGTERM, or --once has its sample
  2  it could not be watched`,
        io,
      ),
    )
    .action(async (source: string, options: WatchCommandOptions) =>
      finish(await watchChat(source, options, io)),
    );
}

interface WatchCommandOptions {
  readonly json?: boolean;
  readonly once?: boolean;
  /** Seconds. */
  readonly interval: string;
}

/** Shows what is wrong with a chat while others write it. Ends when it is asked to, or `--once` has its sample. */
async function watchChat(source: string, options: WatchCommandOptions, io: Io): Promise<ExitCode> {
  const interval = Number(options.interval);
  if (!(interval >= 0.1 && interval <= 86_400)) {
    return reportFailure('--interval', fail('bad_interval', 'it takes seconds, from 0.1 to 86400'), io);
  }
  const followed = openFollowed(source, io);
  if ('code' in followed) return reportFailure(nameSource(source), followed, io);
  const stopped = io.untilStopped();
  const display = createWatchDisplay(options, io);
  const failure = await new Promise<Failure | undefined>((resolve) => {
    let watcher: Watcher | undefined;
    let view: WatchView = { name: followed.name, state: null, threads: 0, messages: 0, generation: 0 };
    const show = (chat: Chat, sample: Sample): void => {
      view = { ...view, ...countRecords(chat) };
      display.show(view, sample);
      if (options.once === true) resolve(undefined);
    };
    followed.open({
      onChat: (chat) => {
        watcher?.close();
        watcher = watch(chat, {
          interval: interval * 1000,
          timers: io.timers,
          onSample: (sample) => show(chat, sample),
        });
        show(chat, watcher.sample());
      },
      onState: (state) => {
        if (state === view.state) return;
        view = { ...view, state };
        display.tell(view);
        if (options.once === true && state !== null && watcher === undefined)
          resolve(fail('unreachable', state));
      },
      onEnd: resolve,
    });
    void stopped.then(() => {
      watcher?.close();
      resolve(undefined);
    });
  });
  followed.close();
  await display.end();
  return failure === undefined ? EXIT.ok : reportFailure(followed.name, failure, io);
}

function openFollowed(source: string, io: Io): FollowedChat | Failure {
  if (!isRoomUrl(source)) return new FollowedFile(source, io);
  const address = readRoomUrl(source, io);
  return address.ok ? new FollowedRoom(address) : address;
}

/** Without what may be a token. */
function nameSource(source: string): string {
  return source.replace(/[?#].*$/, '');
}

function countRecords(chat: Chat): Pick<WatchView, 'threads' | 'messages' | 'generation'> {
  const threads = chat.threads();
  const messages = threads.reduce((sum, { thread_id }) => sum + chat.messageIds(thread_id).length, 0);
  return { threads: threads.length, messages, generation: chat.generation };
}
