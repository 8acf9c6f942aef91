import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Chat, systemEnvironment } from '@chatdoc/schema';
import { systemTimers } from '@chatdoc/sync';
import { createChatFile } from '@chatdoc/sync/file';
import { afterEach } from 'vitest';
import * as Y from 'yjs';
import { type Io, run } from '../src/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const BIN = join(here, '../src/bin.ts');
const TSX = import.meta.resolve('tsx');

/** What node takes to run the program from source. */
export const PROGRAM: readonly string[] = ['--conditions=@chatdoc/source', '--import', TSX, BIN];

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
  const program = `${process.execPath} --conditions=@chatdoc/source --import ${TSX} ${BIN}`;
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

/** The program in this process. `terminal`: as if both outputs were one of 80 columns. */
export async function runProgram(
  argv: readonly string[],
  options: { cwd?: string; input?: string; env?: Io['env']; terminal?: boolean; columns?: number } = {},
): Promise<Result> {
  const { cwd = '/', input = '', env = {}, terminal = false, columns = 80 } = options;
  const texts = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY: terminal,
    columns,
    write: (text: string, done: () => void = () => {}) => {
      texts[name] += text;
      done();
    },
  });
  const stdin = (async function* () {
    yield Buffer.from(input);
  })();
  const untilStopped = (): Promise<never> => new Promise(() => {});
  const outputs = { stdout: sink('stdout'), stderr: sink('stderr') };
  const { now } = systemEnvironment;
  const code = await run(argv, { stdin, ...outputs, cwd, env, timers: systemTimers, now, untilStopped });
  return { code, ...texts };
}

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own for one test, with these files. */
export function createFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatdoc-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

export function copyInto(folder: string, path: string, name: string): void {
  cpSync(path, join(folder, name));
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
