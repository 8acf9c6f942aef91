import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Chat, systemEnvironment, systemTimers } from '@chatdoc/schema';
import { readDocument } from '@chatdoc/sync';
import { createChatFile } from '@chatdoc/sync/file';
import { inject, onTestFinished } from 'vitest';
import * as Y from 'yjs';
import { type Io, run } from '../src/index.js';

const here = dirname(fileURLToPath(import.meta.url));

/** What node takes to run the program. */
export const PROGRAM: readonly string[] = [inject('program')];

/** Real old chats; absent outside the project's own machines. */
export const CORPUS: string = join(here, '../../../../shared/corpus');
export const hasCorpus: boolean = existsSync(CORPUS);

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program itself, in a process of its own. */
export function spawnProgram(
  argv: readonly string[],
  { cwd, input, env = {} }: { cwd?: string; input?: string; env?: Record<string, string> } = {},
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...PROGRAM, ...argv], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input ?? '');
  });
}

/** The same, through a shell: `$CHATDOC` is the program. */
export function spawnShell(script: string, cwd: string): Promise<Result> {
  const program = [process.execPath, ...PROGRAM].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], { cwd, env: { ...process.env, CHATDOC: program } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Io['env'];
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** The program in this process. `terminal`: as if both outputs were one of 80 columns. */
export function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<Result> {
  return openProgram(argv, options).result;
}

/** A program that goes on. */
export interface OpenProgram {
  readonly result: Promise<Result>;
  /** What was printed so far. */
  readonly texts: { stdout: string; stderr: string };
  /** Resolves when it has printed this on one of its outputs. */
  shows(pattern: RegExp): Promise<void>;
  /** As Ctrl-C does. */
  stop(): void;
}

/** The same, while it runs. */
export function openProgram(argv: readonly string[], options: RunOptions = {}): OpenProgram {
  const { cwd = '/', input = '', env = {}, terminal = false, columns = 80, rows } = options;
  const texts = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY: terminal,
    columns,
    rows,
    write: (text: string, done: () => void = () => {}) => {
      texts[name] += text;
      done();
    },
  });
  const stdin = (async function* () {
    yield Buffer.from(input);
  })();
  let stop: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const outputs = { stdout: sink('stdout'), stderr: sink('stderr') };
  const world = { cwd, env, timers: systemTimers, now: systemEnvironment.now, untilStopped: () => stopped };
  const result = run(argv, { stdin, ...outputs, ...world }).then((code) => ({ code, ...texts }));
  return {
    result,
    texts,
    stop,
    shows: (pattern) =>
      until(
        () => isShown(texts, pattern),
        () => describe(texts),
      ),
  };
}

/** The program in a process of its own, while it runs. */
export interface LiveProgram extends Pick<OpenProgram, 'texts' | 'shows'> {
  /** Sends a signal, if one is given; resolves when the process is gone. */
  end(signal?: NodeJS.Signals): Promise<Result>;
}

export function startProgram(
  argv: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): LiveProgram {
  const child = spawn(process.execPath, [...PROGRAM, ...argv], { cwd, env: { ...process.env, ...env } });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      texts[name] += chunk;
    });
  }
  const gone = new Promise<number | null>((resolve) => child.on('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  return {
    texts,
    shows: (pattern) =>
      until(
        () => isShown(texts, pattern),
        () => describe(texts),
      ),
    end: async (signal) => {
      if (signal !== undefined) child.kill(signal);
      return { code: await gone, ...texts };
    },
  };
}

function isShown({ stdout, stderr }: { stdout: string; stderr: string }, pattern: RegExp): boolean {
  return pattern.test(stdout) || pattern.test(stderr);
}

function describe({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return `it shows ${JSON.stringify(stdout)} and ${JSON.stringify(stderr)}`;
}

/** Resolves when it is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  describeInstead: () => string = () => 'it does not come to that',
): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > 60_000) throw new Error(describeInstead());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A folder of its own for one test, with these files. */
export function createFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Every file of a folder by name. */
export function readFolder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** A document file with this chat in it. */
export async function createDocument(path: string, chat: Chat): Promise<void> {
  const doc = new Y.Doc();
  const created = await createChatFile(path, { doc, flush: 'manual' });
  if (!created.ok) throw new Error(created.code);
  created.file.chat.importJSONL(chat.toJSONL());
  const closed = await created.file.close();
  if (!closed.ok) throw new Error(closed.code);
}

/** The chat of a document file, as it is now. */
export function readChat(path: string): Chat {
  const read = readDocument(readFileSync(path));
  if (!read.ok) throw new Error(read.code);
  return read.chat;
}
