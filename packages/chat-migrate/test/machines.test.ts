import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runs, scale } from '../../../tools/amounts.js';
import {
  COCALC_GENERATIONS,
  cocalcFiles,
  JUPYTER_SHAPES,
  jupyterFiles,
  relationalFiles,
  TABLE_SHAPES,
  taskFiles,
} from '../../chat-testkit/src/index.js';
import { buildChild, type ChildPlace } from './child-program.js';

const files = [
  ...[...COCALC_GENERATIONS, 'mixed' as const].map((name) => cocalcFiles(name)),
  ...JUPYTER_SHAPES.map((shape) => jupyterFiles(shape)),
  ...TABLE_SHAPES.flatMap((shape) => [relationalFiles(shape), taskFiles(shape)]),
];
/** Of each kind: a thousand files in all. */
const EACH = 31;

let child: Awaited<ReturnType<typeof buildChild>>;
const folder = mkdtempSync(join(tmpdir(), 'chatdoc-machines-'));
const twin = `${folder}-twin`;

beforeAll(async () => {
  child = await buildChild('machine-child.ts');
  const { seed, numRuns } = runs(EACH, 2);
  for (const [kind, arbitrary] of files.entries()) {
    for (const [number, file] of fc.sample(arbitrary, { seed, numRuns }).entries()) {
      writeFileSync(join(folder, `${kind}-${number}.chat`), file.write(file.rows));
    }
  }
  cpSync(folder, twin, { recursive: true });
});

afterAll(() => {
  child.remove();
  for (const each of [folder, twin]) rmSync(each, { recursive: true, force: true });
});

interface Migrated {
  readonly found: Readonly<Record<string, readonly string[]>>;
  readonly zone: number;
  readonly locale: string;
  readonly node: string;
}

async function migrateAll(where: string, order: string, place: ChildPlace): Promise<Migrated> {
  const { stdout, stderr, signal } = await child.run([where, order], place);
  expect([signal, stderr]).toEqual([null, '']);
  return JSON.parse(stdout) as Migrated;
}

// Other versions of Node: CHATDOC_NODES, paths of programs with a colon between them.
it('[PL2] processes in other zones, locales, folders and orders migrate to the same bytes', async () => {
  const others = (process.env['CHATDOC_NODES'] ?? '').split(':').filter((path) => path !== '');
  const places: readonly ChildPlace[] = [
    { env: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' } },
    ...others.map((node) => ({ node, env: { TZ: 'Pacific/Chatham', LC_ALL: 'de_DE.UTF-8' } })),
  ];
  const here = await migrateAll(folder, 'first first', {
    env: { TZ: 'America/New_York', LC_ALL: 'en_US.UTF-8', LANG: 'en_US.UTF-8' },
  });
  const names = readdirSync(folder);
  expect(Object.keys(here.found)).toHaveLength(names.length);
  expect(names.length).toBe(files.length * scale(EACH, 2));
  for (const place of places) {
    const there = await migrateAll(twin, 'last first', place);
    expect(there.zone).not.toBe(here.zone);
    expect(there.locale).not.toBe(here.locale);
    expect(there.found).toEqual(here.found);
  }
});
