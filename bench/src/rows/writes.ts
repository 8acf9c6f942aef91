import { type Chat, openChat } from '@chatdoc/schema';
import type { Cost } from '@chatdoc/schema/internal';
import * as Y from 'yjs';
import { ScriptedEnvironment } from '../chat/chat-document.js';
import { AGENT, USER } from '../chat/generator.js';
import { count } from '../measure/counts.js';
import { collectGarbage, medianOf } from '../measure/pair.js';
import { formatCount, progress } from '../measure/progress.js';
import type { Plan } from '../plan.js';
import { type Figure, judge, type Measured } from '../report/figure.js';

const WRITES = 10_000;
const WINDOW = 100;
/** Writes of the kind in another chat, before: else the 100th would be slow by itself. */
const WARM_UP = 400;
/** Writes whose parses are counted. */
const COUNTED = 20;
/** What is listed of a write at the end. */
const COUNTS = ['parses', 'checks', 'rows', 'lookups', 'characters'] as const;
/** What a kind may take before it is given up. */
const BUDGET_MS = 20_000;

interface Subject {
  readonly chat: Chat;
  readonly thread_id: string;
  /** Ten messages; the first expects an answer. */
  readonly ids: readonly string[];
}

/** Makes the write number n about one subject, and reads it back as somebody who shows the subject would. */
type Write = (n: number) => void;

const KINDS: Readonly<Record<string, (subject: Subject) => Write>> = {
  'read mark': ({ chat, thread_id, ids }) => {
    return (n) => {
      chat.annotate({ thread_id, user_id: USER, key: 'read', value: ids[n % ids.length] ?? null });
      chat.readMark(thread_id, USER);
    };
  },
  rename: ({ chat, thread_id }) => {
    return (n) => {
      chat.configure({ thread_id, updated_by: USER, name: `Name ${n}` });
    };
  },
  edit: ({ chat, ids: [message_id = ''] }) => {
    return (n) => {
      chat.edit({ message_id, author_id: USER, content: `Edit ${n}` });
    };
  },
  reaction: ({ chat, ids: [message_id = ''] }) => {
    return (n) => {
      chat.annotate({ message_id, user_id: USER, key: 'reaction:👍', value: n % 2 === 0 ? true : null });
      chat.annotations({ message_id });
    };
  },
  'annotation, each by another user': ({ chat, ids: [message_id = ''] }) => {
    return (n) => {
      chat.annotate({ message_id, user_id: `user:${n}`, key: 'feedback', value: 'positive' });
    };
  },
  variable: ({ chat }) => {
    return (n) => {
      chat.setVariables({ scope: 'user', scope_id: USER, values: { count: n } });
      chat.variables('user', USER);
    };
  },
  'variable, each another name': ({ chat }) => {
    return (n) => {
      chat.setVariables({ scope: 'user', scope_id: USER, values: { [`count ${n}`]: n } });
    };
  },
  state: ({ chat, thread_id }) => {
    return (n) => {
      chat.setState({ thread_id, state: n % 2 === 0 ? 'idle' : 'complete' });
      chat.state(thread_id);
    };
  },
  'retry and stop': ({ chat, ids: [message_id = ''] }) => {
    return (n) => {
      if (n % 2 === 0) chat.stop({ message_id, by: USER });
      else chat.retry({ message_id, by: USER });
    };
  },
  'tool part of one call': (subject) => writeToolParts(subject, () => 'call'),
  'tool part, each another call': (subject) => writeToolParts(subject, (n) => `call ${n}`),
  activation: ({ chat }) => {
    const slot = { root_id: 'root', owner_id: USER, provider: 'codex' };
    const threads = [1, 2].map((number) =>
      chat.createThread({ created_by: USER, slot: { ...slot, number } }),
    );
    return (n) => {
      chat.activate({ thread_id: threads[n % 2]?.thread_id ?? '' });
      chat.activeThread({ ...slot, purpose: 'chat' });
    };
  },
};

function writeToolParts({ chat, ids: [prompt_id = ''] }: Subject, idOf: (n: number) => string): Write {
  const attempt = chat.openAttempt({ prompt_id, sender_id: AGENT, runner_id: 'runner-1' });
  return (n) => {
    attempt.addPart({
      kind: 'tool_call',
      part_id: idOf(n),
      title: 'run',
      state: 'completed',
      output: `line ${n}`,
    });
    chat.message(attempt.message_id);
  };
}

/** The 10,000th write about one subject against the 100th, of every kind that can go on for long. */
export function benchWrites(plan: Plan): Measured {
  const writes = plan.amount(WRITES);
  const kinds = Object.keys(KINDS)
    .filter((kind) => plan.wants(kind))
    .map((kind) => measureKind(kind, writes));
  const worst = kinds.reduce((a, b) => (b.cost.parses > a.cost.parses ? b : a));
  const micros = (each: number): string => (Number.isNaN(each) ? '–' : each.toFixed(0));
  return {
    figures: [
      ...kinds.map((kind) => judgeKind(kind, writes)),
      judge('nth_parses', writes, worst.cost.parses / COUNTED, { note: `(${worst.kind})` }),
    ],
    details: [
      {
        title: 'Writes about one subject',
        head: ['write', 'the 100th, µs', 'the 1,000th, µs', 'the last, µs', 'its number', ...COUNTS],
        rows: kinds.map((each) => [
          each.kind,
          micros(each.early),
          micros(each.middle),
          micros(each.last),
          formatCount(each.reached),
          ...COUNTS.map((name) => (each.cost[name] / COUNTED).toFixed(1)),
        ]),
      },
    ],
  };
}

interface KindTimes {
  readonly kind: string;
  /** Medians around the 100th and the 1,000th, and of the last, in µs. */
  readonly early: number;
  readonly middle: number;
  readonly last: number;
  readonly reached: number;
  /** Of `COUNTED` writes and the reading after each, at the end. */
  readonly cost: Cost;
}

function judgeKind({ kind, early, last, reached }: KindTimes, writes: number): Figure {
  const slower = last / early;
  if (reached === writes) return judge('nth', writes, slower, { what: kind });
  const note = `(${slower.toFixed(1)}x at ${formatCount(reached)}, then given up)`;
  return judge('nth', writes, Number.NaN, { what: kind, note });
}

function measureKind(kind: string, writes: number): KindTimes {
  progress(`writes: ${formatCount(writes)} of ${kind}`);
  const warm = createWrite(kind);
  for (let n = 0; n < WARM_UP; n += 1) warm(n);
  collectGarbage();
  const write = createWrite(kind);
  const times: number[] = [];
  const began = performance.now();
  let reported = began;
  while (times.length < writes) {
    const start = performance.now();
    if (start - began > BUDGET_MS && times.length > 2 * WINDOW) break;
    if (start - reported > 5_000) {
      reported = start;
      progress(`writes: ${kind}, ${formatCount(times.length)} done`);
    }
    write(times.length);
    times.push((performance.now() - start) * 1_000);
  }
  const reached = times.length;
  const cost = count(() => {
    for (let n = reached; n < reached + COUNTED; n += 1) write(n);
  });
  return {
    kind,
    early: medianOf(times.slice(WINDOW / 2, (3 * WINDOW) / 2)),
    middle: medianOf(times.slice(1_000 - WINDOW / 2, 1_000 + WINDOW / 2)),
    last: medianOf(times.slice(-WINDOW)),
    reached,
    cost,
  };
}

function createWrite(kind: string): Write {
  const environment = new ScriptedEnvironment(21);
  const chat = openChat(new Y.Doc(), { environment, user_id: USER });
  chat.subscribe(() => undefined);
  const { thread_id } = chat.createThread({ created_by: USER, name: 'Thread' });
  const ids = Array.from({ length: 10 }, (_, n) => {
    environment.time += 1_000;
    const expects = n === 0 ? { expects: 'answer' as const } : {};
    return chat.send({ thread_id, sender_id: USER, content: `Message ${n}`, ...expects }).message_id;
  });
  const write = KINDS[kind]?.({ chat, thread_id, ids });
  if (write === undefined) throw new Error(`no such kind of write: ${kind}`);
  return (n) => {
    environment.time += 1_000;
    write(n);
  };
}
