import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMore, thin } from '../../../tools/amounts.js';
import { commitMigration, rollBackMigration } from '../src/commit/index.js';
import { buildChild } from './child-program.js';
import { CHAT, commit, createFolder, LATER, readFolder, textsIn } from './file-chats.js';

/** Real processes, killed with SIGKILL at each of their calls to the file system. */

let child: Awaited<ReturnType<typeof buildChild>>;

beforeAll(async () => {
  child = await buildChild('fault-child.ts');
});

afterAll(() => child.remove());

interface Job {
  readonly what: 'commit' | 'rollback';
  /** Brings a folder to where the job begins. */
  prepare(folder: string): Promise<void>;
  readonly chat: string;
  /** What the document says once it is done; undefined where there is none. */
  readonly texts: readonly string[] | undefined;
  /** Kills at every so manieth call, unless `CHATDOC_RUNS` asks for more than CI does. */
  readonly step?: number;
}

const FIRST = ['Shall we ship?', 'Yes.', 'Lunch?'];

const JOBS: Readonly<Record<string, Job>> = {
  'a first migration': { what: 'commit', prepare: async () => {}, chat: CHAT, texts: FIRST },
  'a migration of what is new': {
    what: 'commit',
    prepare: async (folder) => {
      await commit(join(folder, 'team.chat'));
      writeFileSync(join(folder, 'team.chat'), LATER);
    },
    chat: LATER,
    texts: [...FIRST, 'Noon.'],
    step: 3,
  },
  'a migration after a rollback': {
    what: 'commit',
    prepare: async (folder) => {
      await commit(join(folder, 'team.chat'));
      expect(await rollBackMigration(join(folder, 'team.ychat'))).toMatchObject({ ok: true });
    },
    chat: CHAT,
    texts: FIRST,
    step: 3,
  },
  'a rollback of a chat that is gone': {
    what: 'rollback',
    prepare: async (folder) => {
      await commit(join(folder, 'team.chat'));
      unlinkSync(join(folder, 'team.chat'));
    },
    chat: CHAT,
    texts: undefined,
  },
};

/** The result, and all files that do not hold what is random. */
async function finish({ what }: Job, folder: string): Promise<object> {
  const path = (name: string): string => join(folder, name);
  const result =
    what === 'commit'
      ? await commitMigration(path('team.chat'))
      : await rollBackMigration(path('team.ychat'));
  expect(result).toMatchObject({ ok: true });
  const { 'team.ychat': document, ...files } = readFolder(folder);
  return { ...files, texts: document && textsIn(Buffer.from(document, 'latin1')) };
}

async function inPairs(numbers: readonly number[], run: (number: number) => Promise<void>): Promise<void> {
  const rest = [...numbers];
  const work = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await run(next);
  };
  await Promise.all([work(), work()]);
}

describe('a process that is killed', () => {
  for (const [name, job] of Object.entries(JOBS)) {
    it(`[CM5] [RB5] at any call of ${name} leaves the chat or its document, and a new run goes on`, async () => {
      const start = async (): Promise<string> => {
        const folder = createFolder({ 'team.chat': job.what === 'commit' ? CHAT : job.chat });
        await job.prepare(folder);
        return folder;
      };
      const undisturbed = await start();
      const argv = (folder: string): string[] => [
        job.what,
        join(folder, job.what === 'commit' ? 'team.chat' : 'team.ychat'),
      ];
      const whole = await child.run(argv(undisturbed));
      const { calls, ok } = JSON.parse(whole.stdout) as { calls: number; ok: boolean };
      expect(ok).toBe(true);
      const expected = await finish(job, undisturbed);
      expect(expected).toMatchObject({ texts: job.texts });
      const { step = 1 } = isMore ? {} : job;
      const all = Array.from({ length: calls + 1 }, (_, index) => index + 1);
      const points = all.filter((point) => point % step === 0 || point > calls);
      const states = new Set<string>();
      // The first, one in the middle and the last, on both sides of what the job is about.
      const due = thin(points, Math.ceil(points.length / 2));
      await inPairs(due, async (point) => {
        const folder = await start();
        // After the last call everything is there, and nobody has heard of it.
        const moment = point <= calls ? [String(point), 'before'] : [String(calls), 'after'];
        const killed = await child.run([...argv(folder), ...moment]);
        // What runs beside each other makes a call more or less.
        if (point < calls - 1) expect(killed, `call ${point}`).toMatchObject({ signal: 'SIGKILL' });
        const read = (file: string): Buffer | undefined => {
          const path = join(folder, file);
          return existsSync(path) ? readFileSync(path) : undefined;
        };
        const source = read('team.chat');
        const document = read('team.ychat');
        states.add(`${source !== undefined} ${document !== undefined}`);
        if (job.what === 'commit') expect(source?.toString()).toBe(job.chat);
        else if (source === undefined) expect(textsIn(document)).toEqual(FIRST);
        else expect(source.toString()).toBe(job.chat);
        if (document !== undefined) expect(textsIn(document)).toBeDefined();
        expect(await finish(job, folder), `call ${point}`).toEqual(expected);
        expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
      });
      // The kills were on both sides of what the job is about.
      if (name !== 'a migration of what is new') expect(states.size).toBeGreaterThan(1);
      expect(points.length).toBeGreaterThan(30 / step);
    });
  }
});
