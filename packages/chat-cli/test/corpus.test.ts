import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CORPUS, createFolder, hasCorpus, readFolder, runProgram } from './program.js';

const files = hasCorpus
  ? ['cocalc-v1', 'jupyter'].flatMap((family) =>
      readdirSync(join(CORPUS, family)).map((name) => join(CORPUS, family, name)),
    )
  : [];

// Skipped, and shown as such, where the real chats are not at hand.
describe.skipIf(!hasCorpus)('a real chat', () => {
  it('[CL10] [CL8] migrates, and shows and verifies as before', async () => {
    expect(files.length).toBeGreaterThan(10);
    const cwd = createFolder();
    const migrated = await runProgram(['migrate', ...files, '--out', 'out/'], { cwd });
    expect(migrated.code).toBe(1);
    // Revisions of one chat become one document, and say so.
    const words = migrated.stderr.split('\n').filter((line) => line !== '');
    expect(words.filter((line) => !line.includes('this is the same document as'))).toEqual([]);
    for (const file of files) {
      const name = basename(file).replace(/\.[^.]+$/, '');
      const document = join(cwd, 'out', `${name}.ychat`);
      const [before, after] = [await runProgram(['show', file]), await runProgram(['show', document])];
      expect(after.stdout).toBe(before.stdout);
      expect(after).toMatchObject({ code: 0, stderr: '' });
      expect(await runProgram(['verify', file, document])).toMatchObject({ code: 0, stderr: '' });
    }
    expect(Object.keys(readFolder(join(cwd, 'out')))).toHaveLength(3 * files.length);
  });

  it('[CL24] shows every message that has a text', async () => {
    for (const file of files) {
      const { stdout } = await runProgram(['show', file, '--json']);
      const { threads } = JSON.parse(stdout);
      const text = (await runProgram(['show', file])).stdout.replaceAll(/\s/g, '');
      for (const { content } of threads.flatMap(
        ({ messages }: { messages: { content: string }[] }) => messages,
      )) {
        expect(text).toContain(content.replaceAll(/\s/g, ''));
      }
    }
  });
});
