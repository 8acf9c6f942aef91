import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runs } from '../../../tools/amounts.js';
import { ElementSplitter } from '../src/archive/element-splitter.js';
import { type GatheredChat, type GatherOptions, gatherChats, isGatherable } from '../src/commit/index.js';
import { listBroken, openPlans } from './helpers/import-samples.js';
import { RENDERINGS, TREE } from './helpers/import-trees.js';
import { expectPlan, toBytes } from './helpers/plans.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gather-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function gather(path = '', options?: GatherOptions): Promise<readonly GatheredChat[]> {
  const chats: GatheredChat[] = [];
  for await (const chat of gatherChats(join(folder, path), options)) chats.push(chat);
  return chats;
}

function namesOf(chats: readonly GatheredChat[]): readonly string[] {
  return chats.map(({ name }) => name);
}

interface Line {
  readonly session: string;
  readonly uuid: string;
  readonly parent?: string;
  readonly text: string;
  readonly second: number;
  readonly more?: object;
}

function line({ session, uuid, parent, text, second, more }: Line): string {
  const isPrompt = text.endsWith('?');
  const message = isPrompt
    ? { role: 'user', content: text }
    : {
        id: `m${uuid}`,
        role: 'assistant',
        model: 'claude-example',
        content: [{ type: 'text', text }],
        stop_reason: 'end_turn',
      };
  const timestamp = new Date(Date.UTC(2026, 4, 4) + second * 1000).toISOString();
  return `${JSON.stringify({ type: isPrompt ? 'user' : 'assistant', uuid, parentUuid: parent ?? null, sessionId: session, isSidechain: false, timestamp, message, ...more })}\n`;
}

function session(id: string, second: number): string {
  return (
    line({ session: id, uuid: `${id}-1`, text: `Ask ${id}?`, second }) +
    line({ session: id, uuid: `${id}-2`, parent: `${id}-1`, text: `Told ${id}.`, second: second + 1 })
  );
}

describe('GA gather', () => {
  it('[GA1] a session comes with its runs, forks and resumed sessions; another comes alone', async () => {
    await put('-home-ada/s1.jsonl', session('s1', 0));
    await put(
      '-home-ada/s1/subagents/agent-x.jsonl',
      line({
        session: 's1',
        uuid: 'x1',
        text: 'Look?',
        second: 1,
        more: { isSidechain: true, agentId: 'x' },
      }),
    );
    const copies = session('s1', 0).replaceAll('"sessionId":"s1"', '"sessionId":"s2"');
    const marked = copies
      .split('\n')
      .filter((text) => text !== '')
      .map((text) => {
        const copy = JSON.parse(text) as { uuid: string };
        return `${JSON.stringify({ ...copy, forkedFrom: { sessionId: 's1', messageUuid: copy.uuid } })}\n`;
      });
    await put(
      '-home-ada/s2.jsonl',
      marked.join('') + line({ session: 's2', uuid: 's2-3', parent: 's1-2', text: 'And fork?', second: 9 }),
    );
    const unmarked = session('s1', 0).replaceAll('"sessionId":"s1"', '"sessionId":"s3"');
    await put(
      '-home-ada/s3.jsonl',
      unmarked + line({ session: 's3', uuid: 's3-3', parent: 's1-2', text: 'And resumed?', second: 19 }),
    );
    await put('-home-bob/s4.jsonl', session('s4', 50));
    await put('settings.json', '{"token":"secret"}');
    expect(await isGatherable(folder)).toBe(true);
    const chats = await gather();
    expect(namesOf(chats)).toEqual(['-home-ada/s1', '-home-bob/s4']);
    const [first] = chats;
    if (first?.ok !== true) throw new Error('expected a chat');
    const chat = openPlans(expectPlan(first.bytes));
    expect(listBroken(chat)).toEqual([]);
    const threads = chat
      .threads()
      .map(({ thread_id, purpose, forked_from }) => [
        purpose,
        forked_from !== undefined,
        chat.messages(thread_id).map(({ content }) => content),
      ]);
    expect(threads.sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
      ['chat', false, ['Ask s1?', 'Told s1.']],
      ['chat', true, ['And fork?']],
      ['chat', true, ['And resumed?']],
      ['run', false, ['Look?']],
    ]);
    expect(chats.at(-1)).toMatchObject({ done: 1 });
  });

  it('[GA2] one document for each folder, where that is wanted', async () => {
    await put('-home-ada/s1.jsonl', session('s1', 0));
    await put('-home-ada/s2.jsonl', session('s2', 10));
    await put('-home-bob/s3.jsonl', session('s3', 20));
    const chats = await gather('', { per: 'folder' });
    expect(namesOf(chats)).toEqual(['-home-ada', '-home-bob']);
    const plans = chats.flatMap((chat) => (chat.ok ? [expectPlan(chat.bytes)] : []));
    expect(plans.map((plan) => openPlans(plan).threads().length)).toEqual([2, 1]);
  });

  it('[GA3] a list of conversations is split, byte for byte, however its chunks fall', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.array(fc.nat({ max: 200 }), { maxLength: 6 }),
        fc.boolean(),
        (values, cuts, isSpaced) => {
          const parts = values.map((value) => JSON.stringify(value, null, isSpaced ? 1 : 0));
          const bytes = toBytes(`\ufeff [${parts.join(isSpaced ? ' ,\n' : ',')}]\n`);
          const splitter = new ElementSplitter();
          const places = [...cuts.map((cut) => cut % bytes.length), 0, bytes.length].sort((a, b) => a - b);
          const chunks = places.slice(1).map((end, index) => bytes.slice(places[index], end));
          const elements = chunks.flatMap((chunk) => splitter.push(chunk));
          expect(elements.map((element) => new TextDecoder().decode(element).trim())).toEqual(parts);
          expect(splitter.isWhole).toBe(true);
        },
      ),
      runs(1000, 30),
    );
  });

  it.each(RENDERINGS.filter(([format]) => ['chatgpt', 'claude-ai', 'open-webui'].includes(format)))(
    '[GA3] conversations of %s, one by one, are those of the whole',
    async (_, render) => {
      const property = fc.asyncProperty(
        fc.uniqueArray(TREE, { minLength: 2, maxLength: 3, selector: ({ id }) => id }),
        async (trees) => {
          const { bytes } = render(trees);
          await put('conversations.json', bytes);
          const chats = await gather('conversations.json');
          expect(namesOf(chats)).toEqual(trees.map(({ id }) => id));
          const plans = chats.flatMap((chat) => (chat.ok ? [expectPlan(chat.bytes)] : []));
          const isThread = (text: string): boolean =>
            text.startsWith('{"type":"message"') || text.startsWith('{"type":"part"');
          const lines = plans.flatMap(({ jsonl }) => jsonl.split('\n').filter(isThread));
          expect(lines.sort()).toEqual(expectPlan(bytes).jsonl.split('\n').filter(isThread).sort());
        },
      );
      await fc.assert(property, runs(50, 2));
    },
  );

  it('[GA4] a list that is cut off, and an element that is not a conversation, is reported; the rest is gathered', async () => {
    const [, render] = RENDERINGS.find(([format]) => format === 'claude-ai') ?? raise();
    const tree = (id: string) => ({
      id,
      title: id,
      nodes: [{ id: 'n', parent: -1, role: 'user' as const, text: 'Hi', second: 1 }],
    });
    const whole = new TextDecoder().decode(render([tree('a'), tree('b')]).bytes);
    await put('cut.json', whole.slice(0, -10));
    await put('odd.json', `${whole.slice(0, -1)},{"secret":1}]`);
    const cut = await gather('cut.json');
    expect(cut.map((chat) => (chat.ok ? chat.name : chat.code))).toEqual(['a', 'cut_off']);
    const odd = await gather('odd.json');
    expect(odd.map((chat) => (chat.ok ? chat.name : chat.code))).toEqual(['a', 'b', 'not_a_conversation']);
    expect(JSON.stringify(odd.filter(({ ok }) => !ok))).not.toContain('secret');
  });

  it('[GA5] a ZIP archive is read as a folder', async () => {
    const [, render] = RENDERINGS.find(([format]) => format === 'chatgpt') ?? raise();
    const { bytes } = render(fc.sample(TREE, { numRuns: 1, seed: 1 }));
    await put(
      'export.zip',
      zip([
        ['user.json', toBytes('{"email":"ada@example.org"}')],
        ['conversations.json', bytes],
      ]),
    );
    const chats = await gather('export.zip');
    expect(chats).toHaveLength(1);
    expect(chats[0]).toMatchObject({ ok: true, from: ['conversations.json'] });
    expect(await isGatherable(join(folder, 'export.zip'))).toBe(true);
  });

  it.each([
    ['a path that leaves it', zip([['../conversations.json', toBytes('[]')]])],
    ['an absolute path', zip([['/conversations.json', toBytes('[]')]])],
    ['a bomb', zip([['conversations.json', new Uint8Array(3_000_000)]])],
    ['a link', zip([['conversations.json', toBytes('x')]], 0o120777)],
    ['a cut archive', zip([['conversations.json', toBytes('[]')]]).slice(0, 40)],
  ])('[GA5] %s is refused', async (_, bytes) => {
    await put('bad.zip', bytes);
    expect(await gather('bad.zip')).toMatchObject([{ ok: false, code: 'zip_refused' }]);
  });

  it('[GA6] tables of Convex are one chat; accounts are not in it', async () => {
    const row =
      '{"_id":"m1","_creationTime":1767225601000.5,"threadId":"t","role":"user","text":"Hi","n":9223372036854775807}';
    await put('messages/documents.jsonl', `${row}\n{"torn`);
    await put('users/documents.jsonl', '{"_id":"u","_creationTime":1.0,"email":"ada@example.org"}\n');
    await put(
      '_components/agent/threads/documents.jsonl',
      '{"_id":"t","_creationTime":1767225600000.0,"title":"Trees"}\n',
    );
    await put('_storage/kg2.jpeg', 'x');
    const chats = await gather();
    const text = new TextDecoder().decode(chats[0]?.ok === true ? chats[0].bytes : undefined);
    expect(JSON.parse(text)).toMatchObject({
      threads: [{ title: 'Trees' }],
      _storage_files: [{ storedFile: 'kg2.jpeg' }],
    });
    expect(text).toContain(row);
    expect(text).not.toContain('ada@example.org');
    expect(openPlans(expectPlan(new TextEncoder().encode(text))).threads()).toHaveLength(1);
  });

  it('[GA1] a folder without such files is not gathered', async () => {
    await put('a.json', '{"messages":[]}');
    await put('b.jsonl', '{"event":"chat"}\n');
    expect(await isGatherable(folder)).toBe(false);
    expect(await gather()).toEqual([]);
  });
});

function raise(): never {
  throw new Error('no such format');
}

/** A ZIP archive, by hand: the writer has nothing of the reader. */
function zip(files: readonly (readonly [name: string, content: Uint8Array])[], mode = 0o100644): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const data = deflateRawSync(content);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc32(content), 10);
    facts.writeUInt32LE(data.length, 14);
    facts.writeUInt32LE(content.length, 18);
    facts.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), facts, Buffer.from(name), data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 3]), facts, rest, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...locals, ...directory, Buffer.from('PK\u0005\u0006'), end]));
}
