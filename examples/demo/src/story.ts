import { countMessages, countWords, ScriptedAgent, streamTogether, VERSES } from './agents.js';
import { checkAnswers, checkEdits, checkEnd, checkMerge, Keepsake } from './checks.js';
import type { Log } from './log.js';
import type { Migrated } from './migration.js';
import { exchange, type Replica, restart } from './replicas.js';

/** What both sides know when the network goes. */
export interface Opening {
  readonly thread_id: string;
  /** The last migrated message; absent where the file held none. */
  readonly last_id: string | undefined;
  readonly note_id: string;
  readonly count_id: string;
  readonly words_id: string;
  readonly poet: ScriptedAgent;
}

/** What the two did apart. */
export interface Apart {
  /** The desktop's second process. */
  readonly desktop: Replica;
  readonly reply_id: string;
  /** Answers of the laptop's and the desktop's runner to one prompt. */
  readonly counts: readonly string[];
  /** What the crashed agent had streamed. */
  readonly half: string;
  readonly whole: string;
}

export interface Ending {
  readonly laptop: Replica;
  readonly desktop: Replica;
  readonly thread_id: string;
  readonly kept: number;
  readonly conflicts: number;
  readonly sent: number;
}

/** Ada's laptop and Grace's desktop work on the migrated chat: together, apart, and together again. */
export function tellStory(migrated: Migrated, log: Log): Ending {
  const { laptop } = migrated;
  const keepsake = new Keepsake(laptop.chat);
  const opening = workTogether(migrated, log);
  const { thread_id } = opening;
  keepsake.noteSettings(laptop.chat);
  const apart = workApart(migrated, opening, log);
  const { desktop } = apart;

  log.begin('The network is back: merge');
  let sent = exchange(laptop, desktop);
  checkMerge(laptop, desktop, migrated.startMs, log);
  const conflicts = checkEdits(laptop.chat, opening, apart, log);
  checkAnswers(laptop.chat, opening, apart, log);

  log.begin('Finish what the merge left to people and runners');
  finish(laptop, apart, opening, log);
  sent += exchange(laptop, desktop);
  checkEnd(desktop.chat, opening, apart, log);
  const kept = keepsake.compare(desktop.chat, thread_id, log);
  return { laptop, desktop, thread_id, kept, conflicts, sent };
}

function workTogether({ laptop, desktop }: Migrated, log: Log): Opening {
  log.begin('Online: a note, three prompts, and a poet');
  const { chat } = laptop;
  const latest = findLatest(laptop);
  const thread_id = latest?.thread_id ?? chat.createThread({ created_by: 'ada' }).thread_id;
  if (chat.config(thread_id).acp_config === undefined) {
    chat.configure({ thread_id, updated_by: 'ada', agent_kind: 'acp', acp_config: { model: 'scripted' } });
    log.tell('laptop', 'ada gives the thread the settings of its agents');
  }
  const ask = (sender_id: string, content: string): string =>
    chat.send({ thread_id, sender_id, content, expects: 'answer' }).message_id;
  const note = chat.send({ thread_id, sender_id: 'ada', content: 'This chat has moved.' });
  const count_id = ask('ada', 'How many messages are here?');
  const words_id = ask('ada', 'Who wrote how many words?');
  const verse_id = ask('ada', 'Tell what changed, in verse.');
  log.tell('laptop', 'ada writes a note, and asks for a count, the words by sender, and verses');
  const poet = new ScriptedAgent(chat, turn(verse_id, 'poet', 'laptop'), VERSES);
  for (let word = 0; word < 4; word += 1) poet.step();
  log.tell('laptop', 'the poet begins to stream');
  exchange(laptop, desktop);
  log.claim(
    `the desktop reads "${poet.streamed.trim()} …" while it is being written`,
    desktop.chat.message(poet.message_id)?.generating === true &&
      desktop.chat.message(poet.message_id)?.content === poet.streamed,
  );
  const last_id = latest?.message_id;
  return { thread_id, last_id, note_id: note.message_id, count_id, words_id, poet };
}

function workApart(migrated: Migrated, opening: Opening, log: Log): Apart {
  log.begin("The network is gone: both work on, and the desktop's clock is 4 minutes slow");
  const { laptop, desktop } = migrated;
  const { thread_id, note_id, count_id, poet } = opening;
  laptop.chat.edit({ message_id: note_id, author_id: 'ada', content: 'This chat has moved, whole.' });
  laptop.chat.configure({ thread_id, updated_by: 'ada', name: 'Moved' });
  log.tell('laptop', 'ada edits her note and names the thread "Moved"');
  const count = countMessages(laptop.chat, 'laptop');
  const counter = new ScriptedAgent(laptop.chat, turn(count_id, 'counter', 'laptop'), count);
  streamTogether([counter, poet], () => counter.done);
  counter.finish('stop');
  for (let word = 0; word < 6; word += 1) poet.step();
  log.tell('laptop', 'two agents stream at once: the counter answers, the poet writes on');
  log.claim(
    'each answer reads as its agent wrote it, no word of one in the other',
    laptop.chat.message(counter.message_id)?.content === count &&
      laptop.chat.message(poet.message_id)?.content === poet.streamed,
  );
  return workOnDesktop(desktop, migrated.startMs, opening, count, log);
}

function workOnDesktop(
  first: Replica,
  startMs: number,
  opening: Opening,
  laptopCount: string,
  log: Log,
): Apart {
  const { thread_id, note_id, last_id, count_id, words_id, poet } = opening;
  first.chat.edit({ message_id: note_id, author_id: 'grace', content: 'This chat has moved here.' });
  first.chat.configure({ thread_id, updated_by: 'grace', name: 'The old chat' });
  log.tell('desktop', 'grace edits the same note and names the thread "The old chat"');
  const reply = first.chat.send({
    thread_id,
    sender_id: 'grace',
    content: 'I can still answer here.',
    reply_to_message_id: last_id ?? note_id,
  });
  first.chat.stop({ message_id: poet.message_id, by: 'grace' });
  log.tell('desktop', 'grace replies to the last migrated message, and stops the poet');
  const count = countMessages(first.chat, 'desktop');
  const whole = countWords(first.chat);
  const counter = new ScriptedAgent(first.chat, turn(count_id, 'counter', 'desktop'), count);
  const scribe = new ScriptedAgent(first.chat, turn(words_id, 'scribe', 'desktop'), whole);
  streamTogether([counter, scribe], () => scribe.isHalfWay);
  streamTogether([counter]);
  counter.finish('stop');
  log.tell('desktop', 'two agents stream at once: the counter answers the same prompt here, too');
  const desktop = restart(first, 3, startMs);
  log.tell('desktop', 'the process dies while the scribe is writing; another one starts');
  const half = scribe.streamed;
  const partial = desktop.chat.message(scribe.message_id);
  log.claim(
    `what the scribe had written is there: ${half.length} of ${whole.length} characters`,
    partial?.content === half && half.length > 0 && half.length < whole.length,
  );
  return { desktop, reply_id: reply.message_id, counts: [laptopCount, count], half, whole };
}

/** The laptop's runner heeds the stop; the desktop's says that its agent is gone, and is asked again. */
function finish(laptop: Replica, { desktop, whole }: Apart, opening: Opening, log: Log): void {
  const { thread_id, note_id, words_id, poet } = opening;
  if (laptop.chat.message(poet.message_id)?.attempt?.stop_requested === true) poet.finish('stopped');
  log.tell('laptop', "the poet's runner finds grace's stop and ends the turn");
  laptop.chat.configure({ thread_id, updated_by: 'ada', name: 'The old chat, moved' });
  laptop.chat.edit({ message_id: note_id, author_id: 'ada', content: 'This chat has moved here, whole.' });
  log.tell('laptop', 'ada sees both names and both edits, and writes a third of each');
  const answer = desktop.chat.messages(thread_id).find(({ prompt_id }) => prompt_id === words_id);
  if (answer === undefined) return;
  desktop.chat.interrupt({ message_id: answer.message_id });
  desktop.chat.retry({ message_id: answer.message_id, by: 'grace' });
  const scribe = new ScriptedAgent(desktop.chat, turn(words_id, 'scribe', 'desktop'), whole);
  streamTogether([scribe]);
  scribe.finish('stop');
  log.tell('desktop', 'the scribe is marked as interrupted; grace asks again, and it writes to the end');
}

function turn(prompt_id: string, sender_id: string, runner_id: string) {
  return { prompt_id, sender_id, runner_id };
}

/** The last message of the file, in its thread. */
function findLatest({ chat }: Replica) {
  let latest: { thread_id: string; message_id: string; date: string } | undefined;
  for (const { thread_id } of chat.threads()) {
    for (const message of chat.messages(thread_id)) {
      if (latest === undefined || message.date >= latest.date) latest = message;
    }
  }
  return latest;
}
