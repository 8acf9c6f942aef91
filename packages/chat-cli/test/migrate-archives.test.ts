import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scale } from '../../../tools/amounts.js';
import { createFolder, runProgram } from './program.js';

const START = Date.UTC(2026, 4, 4);
const SECRET = 'sk-abcdefghijklmnopqrstuvwx';

interface Said {
  readonly session: string;
  readonly uuid: string;
  readonly parent: string | null;
  readonly text: string;
  readonly isPrompt: boolean;
  readonly second: number;
  readonly more?: object;
}

function toLine({ session, uuid, parent, text, isPrompt, second, more }: Said): string {
  const message = isPrompt
    ? { role: 'user', content: text }
    : {
        id: `m-${uuid}`,
        role: 'assistant',
        model: 'claude-example',
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 2, output_tokens: 3 },
      };
  const timestamp = new Date(START + second * 1000).toISOString();
  return JSON.stringify({
    parentUuid: parent,
    isSidechain: false,
    cwd: '/home/ada',
    sessionId: session,
    uuid,
    timestamp,
    type: isPrompt ? 'user' : 'assistant',
    message,
    ...more,
  });
}

/** A folder as an agent leaves it: sessions, runs of subagents, forks and resumed sessions, torn last lines. */
function createProjects(count: number): {
  readonly files: Record<string, string>;
  readonly families: number;
} {
  const files: Record<string, string> = {};
  let families = 0;
  let before: readonly Said[] = [];
  for (let index = 0; index < count; index += 1) {
    const session = `${String(index).padStart(8, '0')}-0000-4000-8000-000000000001`;
    const project = `-home-ada-p${index % 5}`;
    const kind =
      before.length > 0 && index % 4 === 3
        ? 'fork'
        : index % 4 === 2 && before.length > 0
          ? 'resumed'
          : 'new';
    const start = index * 1000;
    const copies =
      kind === 'new'
        ? []
        : before.slice(0, 2).map((said) => ({
            ...said,
            session,
            ...(kind === 'fork'
              ? { more: { forkedFrom: { sessionId: said.session, messageUuid: said.uuid } } }
              : {}),
          }));
    const own: Said[] = [];
    let parent = copies.at(-1)?.uuid ?? null;
    for (let turn = 0; turn < 3; turn += 1) {
      own.push({
        session,
        uuid: `${index}-${turn}-u`,
        parent,
        text: `Question ${turn} of ${index}`,
        isPrompt: true,
        second: start + turn * 10,
      });
      own.push({
        session,
        uuid: `${index}-${turn}-a`,
        parent: `${index}-${turn}-u`,
        text: `Answer ${turn} of ${index}`,
        isPrompt: false,
        second: start + turn * 10 + 1,
      });
      parent = `${index}-${turn}-a`;
    }
    const torn = index % 7 === 0 ? `\n{"type":"user","message":"${SECRET}` : '';
    const title = JSON.stringify({ type: 'ai-title', aiTitle: `Title ${index}`, sessionId: session });
    files[`projects/${project}/${session}.jsonl`] =
      `${[...copies, ...own].map(toLine).join('\n')}\n${title}${torn}`;
    if (index % 6 === 0) {
      const run: Said = {
        session,
        uuid: `${index}-run`,
        parent: null,
        text: `Run of ${index}`,
        isPrompt: true,
        second: start + 5,
        more: { isSidechain: true, agentId: `a${index}` },
      };
      files[`projects/${project}/${session}/subagents/agent-a${index}.jsonl`] = `${toLine(run)}\n`;
    }
    if (kind === 'new') {
      families += 1;
      before = own;
    }
  }
  return { files, families };
}

/** Every file in a folder, at any depth. */
function readFolder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [relative(folder, path), readFileSync(path, 'latin1')]));
}

function writeAll(cwd: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
}

describe('migrate of a folder of sessions', () => {
  const { files, families } = createProjects(scale(300, 12));

  it('[CL80] one document for each session with its forks and runs, beside nothing of the agent; again, nothing is written', async () => {
    const cwd = createFolder();
    writeAll(cwd, files);
    const before = readFolder(join(cwd, 'projects'));
    const first = await runProgram(['migrate', 'projects', '--out', 'done'], { cwd });
    expect(first.stderr).toBe('');
    expect(readFolder(join(cwd, 'projects'))).toEqual(before);
    expect(first.stdout + first.stderr).not.toContain(SECRET);
    const documents = Object.keys(readFolder(join(cwd, 'done'))).filter((name) => name.endsWith('.ychat'));
    expect(documents).toHaveLength(families);
    const [shown] = documents.sort();
    const transcript = await runProgram(['show', join('done', shown ?? '')], { cwd });
    for (const text of ['Question 0 of 0', 'Answer 2 of 0', 'Run of 0'])
      expect(transcript.stdout).toContain(text);
    const written = readFolder(join(cwd, 'done'));
    await runProgram(['migrate', 'projects', '--out', 'done'], { cwd });
    expect(readFolder(join(cwd, 'done'))).toEqual(written);
  });

  it('[CL80] one document for each project, by a flag; a dry run writes nothing', async () => {
    const cwd = createFolder();
    writeAll(cwd, files);
    const before = readFolder(cwd);
    const dry = await runProgram(['migrate', 'projects', '--per', 'folder', '--out', 'done', '--dry-run'], {
      cwd,
    });
    expect(readFolder(cwd)).toEqual(before);
    expect(dry.stderr).toBe('');
    await runProgram(['migrate', 'projects', '--per', 'folder', '--out', 'done'], { cwd });
    const documents = Object.keys(readFolder(join(cwd, 'done'))).filter((name) => name.endsWith('.ychat'));
    expect(documents.sort()).toEqual([0, 1, 2, 3, 4].map((index) => `-home-ada-p${index}.ychat`));
  });

  it('[CL80] a rollback gives the chat that was gathered, byte for byte, and a later migration goes on', async () => {
    const cwd = createFolder();
    const list = [0, 1].map((index) => ({
      uuid: `c${index}`,
      name: '',
      created_at: '2026-03-01T09:00:00.000Z',
      chat_messages: [{ uuid: 'm', sender: 'human', text: 'Hi', created_at: '2026-03-01T09:00:00.000Z' }],
    }));
    writeFileSync(join(cwd, 'conversations.json'), JSON.stringify(list));
    await runProgram(['migrate', 'conversations.json'], { cwd });
    expect(
      Object.keys(readFolder(join(cwd, 'conversations'))).filter((name) => name.endsWith('.ychat')),
    ).toEqual(['c0.ychat', 'c1.ychat']);
    const rolled = await runProgram(['rollback', 'conversations/c0.ychat'], { cwd });
    expect(rolled.code).toBe(0);
    const { 'c0.json': restored } = readFolder(join(cwd, 'conversations'));
    expect(Buffer.from(restored ?? '').toString()).toBe(JSON.stringify(list[0]));
    const again = await runProgram(['migrate', 'conversations.json'], { cwd });
    expect(again.stderr).toBe('');
    expect(Object.keys(readFolder(join(cwd, 'conversations')))).toContain('c0.ychat');
  });
});
