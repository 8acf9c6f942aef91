import { COUNTERS, type IdCount, RULES, type RuleSample, type Sample } from '@chatdoc/integrity';
import { formatDate } from '@chatdoc/schema';
import { createLogUpdate } from 'log-update';
import { type Colors, colorsFor, type Io, widthOf, writeTo } from '../io.js';
import { countNoun } from './nouns.js';
import { escapeJson } from './plain-text.js';
import { wrapText } from './wrap-text.js';

/** Where a sample comes from, and how large that is. */
export interface WatchView {
  readonly name: string;
  /** What is wrong with the connection or the file; null: nothing. */
  readonly state: string | null;
  readonly threads: number;
  readonly messages: number;
  readonly generation: number;
}

export interface WatchDisplay {
  show(view: WatchView, sample: Sample): void;
  /** The state of the source has changed. */
  tell(view: WatchView): void;
  /** Resolves when all is written. */
  end(): Promise<void>;
}

export interface WatchDisplayOptions {
  readonly json?: boolean;
  readonly once?: boolean;
}

/** JSON, one line a sample, if that is asked for; drawn in one place on a terminal; elsewhere a line a change. */
export function createWatchDisplay(options: WatchDisplayOptions, io: Io): WatchDisplay {
  if (options.json === true) {
    return createLines(io, (view, sample) => describeJson(view, sample, io.now()));
  }
  const isTerminal = io.stdout.isTTY === true && io.env['TERM'] !== 'dumb';
  if (isTerminal) {
    return options.once === true
      ? createLines(io, (view, sample) => describeBlock(view, sample, io))
      : createBlock(io);
  }
  let last = '';
  return createLines(io, (view, sample) => {
    const text = describeLine(view, sample);
    if (text === last) return undefined;
    last = text;
    return `${formatDate(io.now())} ${text}`;
  });
}

/** `describe` gives undefined for a sample of which there is nothing to say. */
function createLines(
  io: Io,
  describe: (view: WatchView, sample: Sample) => string | undefined,
): WatchDisplay {
  let written: Promise<unknown> = Promise.resolve();
  const write = (stream: Io['stdout'], text: string): void => {
    written = Promise.all([written, writeTo(stream, text)]);
  };
  return {
    show: (view, sample) => {
      const text = describe(view, sample);
      if (text !== undefined) write(io.stdout, `${text}\n`);
    },
    tell: ({ name, state }) => {
      const colors = colorsFor(io.stderr, io.env);
      write(io.stderr, `${colors.yellow('chatdoc:')} ${name}: ${state ?? 'all is well again'}\n`);
    },
    end: async () => {
      await written;
    },
  };
}

function createBlock(io: Io): WatchDisplay {
  const draw = createLogUpdate(io.stdout as unknown as NodeJS.WritableStream, { showCursor: true });
  let latest: Sample | undefined;
  const update = (view: WatchView): void => {
    const lines = describeBlock(view, latest, io).split('\n');
    const rows = Math.max(4, (io.stdout.rows ?? 24) - 2);
    const more = lines.length - rows;
    const shown =
      more > 0 ? [...lines.slice(0, rows - 1), `  … and ${countNoun(more + 1, 'line')} more`] : lines;
    draw([...shown, '  Ctrl-C ends this'].join('\n'));
  };
  return {
    show: (view, sample) => {
      latest = sample;
      update(view);
    },
    tell: update,
    end: async () => draw.done(),
  };
}

function describeJson(view: WatchView, { counters, offences }: Sample, now: number): string {
  const { name, threads, messages, generation } = view;
  return escapeJson(
    JSON.stringify({
      at: formatDate(now),
      source: name,
      generation,
      threads,
      messages,
      counters,
      offences,
    }),
  );
}

function describeLine(view: WatchView, { counters, offences }: Sample): string {
  const found = Object.entries(counters).filter(([, count]) => count > 0);
  const wrong = found.map(([counter, count]) => {
    const [first] = offences
      .filter(({ rule }) => COUNTERS[rule] === counter)
      .flatMap(({ messages, threads }) => [...messages, ...threads]);
    return `${counter} ${count}${first === undefined ? '' : ` (${first.id})`}`;
  });
  return `${view.name}: ${describeSize(view)}; ${wrong.length === 0 ? 'nothing wrong' : wrong.join(', ')}`;
}

function describeBlock(view: WatchView, sample: Sample | undefined, io: Io): string {
  const colors = colorsFor(io.stdout, io.env);
  const { name, state, generation } = view;
  const lines = [`${colors.bold(name)}: ${describeSize(view)}, generation ${generation}`];
  const width = widthOf(io.stdout);
  const add = (indent: number, text: string, paint: (text: string) => string = String): void => {
    for (const line of wrapText(text, width - indent)) lines.push(`${' '.repeat(indent)}${paint(line)}`);
  };
  if (state !== null) add(2, state, colors.yellow);
  if (sample !== undefined) {
    const found = Object.entries(sample.counters).filter(([, count]) => count > 0);
    for (const [counter, count] of found) {
      const own = sample.offences.filter(({ rule }) => COUNTERS[rule] === counter);
      add(2, `${counter} ${count}`, paintOf(own, colors));
      for (const offence of own) {
        add(4, `${offence.rule} ${offence.name} ${offence.count}`);
        for (const offenders of listOffenders(offence)) add(6, offenders);
      }
    }
    const rest = Object.keys(sample.counters).length - found.length;
    add(2, found.length === 0 ? `nothing wrong: all ${rest} counters are 0` : `${rest} counters are 0`);
  }
  return lines.join('\n');
}

function paintOf(offences: readonly RuleSample[], colors: Colors): (text: string) => string {
  const severities = offences.map(({ rule }) => RULES.find(({ id }) => id === rule)?.severity ?? 'warning');
  if (severities.includes('error')) return colors.red;
  return severities.includes('warning') ? colors.yellow : colors.dim;
}

/** `messages 01JD… (2), 01JD…`, and the same of threads, where most is wrong in front. */
function listOffenders({ threads, messages }: RuleSample): readonly string[] {
  const list = (noun: string, offenders: readonly IdCount[]): readonly string[] => {
    if (offenders.length === 0) return [];
    const ids = offenders.map(({ id, count }) => (count > 1 ? `${id} (${count})` : id));
    return [`${noun}${ids.length > 1 ? 's' : ''} ${ids.join(', ')}`];
  };
  return [...list('message', messages), ...list('thread', threads)];
}

function describeSize({ threads, messages }: WatchView): string {
  return `${countNoun(messages, 'message')} in ${countNoun(threads, 'thread')}`;
}
