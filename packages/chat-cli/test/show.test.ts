import { describe, expect, it } from 'vitest';
import { createAgentChat, createChat } from './agent-chat.js';
import { COCALC, JUPYTER } from './chats.js';
import { listControls } from './controls.js';
import { createFolder, readFolder, runProgram, spawnProgram, spawnShell } from './program.js';

describe('show', () => {
  it('[CL8] [CL24] reads an old chat in memory, and says on standard error what it does not show', async () => {
    const cwd = createFolder({ 'team.chat': COCALC });
    const { code, stdout, stderr } = await spawnProgram(['show', 'team.chat'], { cwd });
    expect(code).toBe(0);
    expect(stdout.replaceAll(/thread \w{26}/g, 'thread ID')).toMatchInlineSnapshot(`
      "# Shall we ship?
        idle, 2 messages, by ada
        thread ID

      ada  2024-09-13 14:37 UTC
        Shall we ship?

      bob  2024-09-13 14:38 UTC  (edited)
        Yes, on Monday.

      # Lunch?
        idle, 1 message, by cyd
        thread ID

      cyd  2024-09-13 15:00 UTC
        Lunch?
      "
    `);
    expect(stderr).toBe(
      'chatdoc: team.chat: not shown: 1 unsent draft, 1 damaged line, which chatdoc migrate keeps aside\n',
    );
    expect(readFolder(cwd)).toEqual({ 'team.chat': COCALC });
  });

  it('[CL8] looks at the content of a file, not at its name', async () => {
    const { chat } = createAgentChat();
    const cwd = createFolder({ 'photo.jpg': JUPYTER, 'x.chat': chat.toJSONL() });
    expect((await runProgram(['show', 'photo.jpg'], { cwd })).stdout).toContain('Hi!');
    expect((await runProgram(['show', 'x.chat'], { cwd })).stdout).toContain('# Release');
  });

  it('[CL8] reads standard input, and pipes', async () => {
    const piped = await spawnProgram(['show', '-'], { input: JUPYTER });
    expect(piped).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Hi!') });
    const cwd = createFolder({ 'room.chat': JUPYTER });
    const shell = await spawnShell('$CHATDOC show <(cat room.chat)', cwd);
    expect(shell.stdout).toBe(piped.stdout);
  });

  it('[CL25] calls senders by the names that an old chat gives them', async () => {
    const cwd = createFolder({ 'room.chat': JUPYTER });
    const { stdout } = await runProgram(['show', 'room.chat'], { cwd });
    expect(stdout).toMatch(/^Ada Lovelace {2}2023-11-14 22:13 UTC\n {2}Hello\n\nBob {2}/m);
    expect(stdout).not.toContain('u1');
  });

  it('[CL26] shows one thread, by its id or the beginning of it', async () => {
    const cwd = createFolder({ 'team.chat': COCALC });
    const all = JSON.parse((await runProgram(['show', 'team.chat', '--json'], { cwd })).stdout);
    const ids = all.threads.map(({ thread_id }: { thread_id: string }) => thread_id);
    const [first, second] = ids as [string, string];
    for (const id of [second, second.slice(0, 14), second.toLowerCase()]) {
      const { code, stdout } = await runProgram(['show', 'team.chat', '--thread', id], { cwd });
      expect(code).toBe(0);
      expect(stdout).toContain('Lunch?');
      expect(stdout).not.toContain('ship');
    }
    const common = await runProgram(['show', 'team.chat', '--thread', first.slice(0, 3)], { cwd });
    expect(common).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/2 threads begin with .*give more of the id/),
    });
    for (const id of ['nope', '']) {
      const none = await runProgram(['show', 'team.chat', '--thread', id], { cwd });
      expect(none).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`no thread.*${first}, ${second}`)),
      });
    }
  });

  it('[CL27] prints the records as JSON that says all, with history', async () => {
    const { chat, thread_id } = createAgentChat();
    const cwd = createFolder({ 'a.jsonl': chat.toJSONL() });
    const { code, stdout, stderr } = await runProgram(['show', 'a.jsonl', '--json'], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const shown = JSON.parse(stdout);
    expect(shown).toMatchObject({
      format: 'chatdoc',
      doc_id: null,
      threads: [{ thread_id, config: { name: 'Release' }, state: { state: 'running' } }],
    });
    expect(shown.threads[0].messages).toEqual(JSON.parse(JSON.stringify(chat.messages(thread_id))));
  });

  it('[CL6] escapes in JSON what a terminal would obey', async () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    const evil = '\u001b[31m\u009b31m\u007f\u202e"\n';
    chat.send({ thread_id, sender_id: 'ada', content: evil });
    const cwd = createFolder({ 'a.jsonl': chat.toJSONL() });
    const { stdout } = await runProgram(['show', 'a.jsonl', '--json'], { cwd });
    expect(listControls(stdout)).toEqual([]);
    expect(JSON.parse(stdout).threads[0].messages[0].content).toBe(evil);
  });

  it('[CL6] escapes the names of files', async () => {
    const name = 'a\u001b[31m.chat';
    const cwd = createFolder({ [name]: COCALC });
    for (const argv of [
      ['show', name],
      ['verify', name],
      ['migrate', name],
      ['show', `no${name}`],
    ]) {
      const { stdout, stderr } = await runProgram(argv, { cwd });
      expect(stdout + stderr).not.toContain('\u001b');
      expect(stdout + stderr).toContain('a␛[31m.chat');
    }
    expect((await runProgram([name])).stderr).not.toContain('\u001b');
  });

  it('[CL28] reads a damaged document as far as it goes, and says that it is damaged', async () => {
    const { chat } = createAgentChat();
    const text = chat.toJSONL();
    const cut = text.slice(0, text.indexOf('Agreed') + 3);
    const lines = text.split('\n');
    const cwd = createFolder({
      'cut.jsonl': cut,
      'bad.jsonl': lines.map((line, i) => (i === 4 ? line.slice(0, -9) : line)).join('\n'),
      'latin1.jsonl': Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0x0a])]),
      'crlf.jsonl': `\ufeff${text.replaceAll('\n', '\r\n')}`,
      'headless.jsonl': `${lines[3]}\n${text}`,
    });
    const shown = await runProgram(['show', 'cut.jsonl'], { cwd });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('Ship it today?');
    expect(shown.stderr).toMatch(/ends in the middle of a line: it was cut off; compare it with a backup/);
    expect((await runProgram(['show', 'bad.jsonl'], { cwd })).stderr).toMatch(
      /1 line could not be read; chatdoc verify/,
    );
    expect((await runProgram(['show', 'latin1.jsonl'], { cwd })).stderr).toMatch(/some bytes are no UTF-8/);
    expect((await runProgram(['show', 'headless.jsonl'], { cwd })).stdout).toContain('Ship it today?');
    const crlf = await runProgram(['show', 'crlf.jsonl'], { cwd });
    expect(crlf.stderr).toBe('');
    expect(crlf.stdout).toContain('Ship it today?');
  });

  it('[CL24] counts messages without their thread, and lanes of a later version', async () => {
    const { chat } = createAgentChat();
    const lines = chat.toJSONL().split('\n');
    const orphans = lines.filter((line) => !line.startsWith('{"type":"thread"')).join('\n');
    const later = chat.toJSONL().replaceAll('"min_reader":2', '"min_reader":9');
    const cwd = createFolder({ 'orphans.jsonl': orphans, 'later.jsonl': later });
    expect((await runProgram(['show', 'orphans.jsonl'], { cwd })).stderr).toMatch(
      /\d+ messages not shown: the thread is not in the file/,
    );
    expect((await runProgram(['show', 'later.jsonl'], { cwd })).stderr).toMatch(
      /from a later version of chatdoc not shown; update chatdoc/,
    );
  });
});

describe('in a terminal', () => {
  it('[CL23] wraps at its width, within reason, and at 80 where it has none', async () => {
    const cwd = createFolder({ 'team.chat': COCALC.replace('Shall we ship?', 'word '.repeat(60)) });
    const widest = async (options: { terminal: boolean; columns: number }): Promise<number> => {
      const { stdout } = await runProgram(['show', 'team.chat'], { cwd, env: { NO_COLOR: '1' }, ...options });
      return Math.max(...stdout.split('\n').map((line) => line.length));
    };
    expect(await widest({ terminal: true, columns: 60 })).toBeLessThanOrEqual(60);
    const plain = await widest({ terminal: false, columns: 60 });
    expect(plain).toBeGreaterThan(70);
    expect(await widest({ terminal: true, columns: 0 })).toBe(plain);
    expect(await widest({ terminal: true, columns: 400 })).toBeLessThanOrEqual(100);
    expect(await widest({ terminal: true, columns: 3 })).toBeGreaterThan(30);
  });

  it('[CL4] has colours, unless NO_COLOR or a dumb terminal says otherwise', async () => {
    const cwd = createFolder({ 'team.chat': COCALC, 'bad.chat': 'x' });
    const codes = async (env: Record<string, string>, terminal: boolean): Promise<boolean[]> => {
      const runs = [
        ['show', 'team.chat'],
        ['verify', 'team.chat'],
        ['migrate', 'team.chat', '-n'],
        ['show', 'bad.chat'],
      ];
      const results = await Promise.all(runs.map((argv) => runProgram(argv, { cwd, env, terminal })));
      return results.map(({ stdout, stderr }) =>
        (stdout + stderr).split('\u001b[').some((piece) => /^\d+m/.test(piece)),
      );
    };
    expect(await codes({}, true)).toEqual([true, true, true, true]);
    expect(await codes({ NO_COLOR: '1' }, true)).toEqual([false, false, false, false]);
    expect(await codes({ TERM: 'dumb' }, true)).toEqual([false, false, false, false]);
    expect(await codes({ FORCE_COLOR: '1' }, false)).toEqual([false, false, false, false]);
  });

  it('[CL5] ends without a word where nobody reads on, and does the work all the same', async () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({ created_by: 'ada' });
    chat.send({ thread_id, sender_id: 'ada', content: 'a long line of words\n'.repeat(50_000) });
    chat.send({ thread_id, sender_id: 'ada', content: 'end' });
    const cwd = createFolder({
      'long.jsonl': chat.toJSONL(),
      'a.chat': COCALC,
      'c.chat': JUPYTER,
    });
    for (const command of ['show long.jsonl', 'show long.jsonl --json']) {
      const { stdout, stderr } = await spawnShell(
        `$CHATDOC ${command} | head -1; echo "\${PIPESTATUS[0]}"`,
        cwd,
      );
      expect(stderr).toBe('');
      expect(stdout.split('\n')[1]).toBe('0');
    }
    const migrated = await spawnShell(`$CHATDOC migrate a.chat c.chat | true; echo "\${PIPESTATUS[0]}"`, cwd);
    expect(migrated).toMatchObject({ stderr: '', stdout: '1\n' });
    expect(Object.keys(readFolder(cwd)).filter((name) => name.endsWith('.ychat'))).toHaveLength(2);
  });
});
