import { type Chat, openChat } from '@chatdoc/schema';
import type { Fixtures } from './fixtures.js';
import { USER } from './generator.js';
import { loadDoc, parseLines } from './layouts.js';
import { pair, ratioOf, spreadOf, timed, timedOn } from './measure.js';
import { progress } from './progress.js';
import { type Figure, figure, ratio } from './report.js';

/** What takes the whole document: folding all of it, its digest, its copy as JSON Lines. Without targets. */
export function benchWhole(fixtures: Fixtures, size: number, reps: number): readonly Figure[] {
  const update = fixtures.chat(size, 'many');
  const lines = fixtures.lines(size);
  const threadIds = fixtures.threadIds(size, 'many');
  progress(`whole document: ${reps} paired repetitions at ${size} messages`);
  const prepare = (): Chat => openChat(loadDoc(update));
  const samples = pair(reps, [
    timed('lines', () => parseLines(lines)),
    timedOn('fold', prepare, (chat) => threadIds.map((id) => chat.messages(id))),
    timedOn('threads', prepare, (chat) => chat.threads()),
    timedOn('digest', prepare, (chat) => chat.digest()),
    timedOn('jsonl', prepare, (chat) => chat.toJSONL()),
    timedOn(
      'digest again',
      () => {
        const chat = prepare();
        chat.digest();
        chat.send({ thread_id: threadIds[0] ?? '', sender_id: USER, content: 'One more.' });
        return chat;
      },
      (chat) => chat.digest(),
    ),
    timedOn('cold send', prepare, (chat) => {
      chat.send({ thread_id: threadIds[0] ?? '', sender_id: USER, content: 'The first here.' });
    }),
    timedOn('thread', prepare, (chat) => chat.messages(threadIds[threadIds.length >> 1] ?? '')),
  ]);
  const times = (name: string): ReturnType<typeof spreadOf> => spreadOf(samples[name]);
  return [
    ratio('read every message / JSON.parse of the JSONL', size, ratioOf(samples['fold'], samples['lines'])),
    ratio('first digest / JSON.parse of the JSONL', size, ratioOf(samples['digest'], samples['lines'])),
    figure('read the first thread', size, times('thread'), 'ms'),
    figure('first append to a thread not read before', size, times('cold send'), 'ms'),
    figure('list the threads', size, times('threads'), 'ms'),
    figure('read every message', size, times('fold'), 'ms'),
    figure('first digest', size, times('digest'), 'ms'),
    figure('digest after one append', size, times('digest again'), 'ms'),
    figure('toJSONL', size, times('jsonl'), 'ms'),
  ];
}
