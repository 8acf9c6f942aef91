import { describe, expect, it } from 'vitest';
import {
  configLine,
  createPair,
  entriesOf,
  entryLine,
  expectSame,
  header,
  idAt,
  MINUTE,
  messageLine,
  type Replica,
  replicaOf,
  say,
  syncAll,
  threadLine,
} from './world.js';

const T = idAt(0, 'thread');
const M = idAt(0, 'message');

/** The second writer's clock is ten minutes behind: too far for the first one's stamps to be followed. */
function createApart(): { a: Replica; b: Replica; thread_id: string } {
  const pair = createPair();
  pair.a.clock.time += 60 * MINUTE;
  pair.b.clock.time -= 60 * MINUTE;
  return pair;
}

describe('last writer', () => {
  it('[LW1] a config written after seeing another shows, though its stamp is smaller', () => {
    const { a, b, thread_id } = createApart();
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'first' });
    syncAll([a, b]);
    b.chat.configure({ thread_id, updated_by: 'bob', name: 'second' });
    syncAll([a, b]);
    const [one, two] = entriesOf(a.chat, 'thread_config').sort((x, y) =>
      String(x['name']) < String(y['name']) ? -1 : 1,
    );
    expect(String(two?.['id']) < String(one?.['id'])).toBe(true);
    expect(two?.['replaces']).toEqual([one?.['id']]);
    expect(a.chat.config(thread_id)).toMatchObject({ name: 'second', updated_by: 'bob' });
    expectSame([a, b]);
  });

  it('[LW1] an edit written after seeing another shows, though its stamp is smaller', () => {
    const { a, b, thread_id } = createApart();
    const { message_id } = say(a.chat, thread_id, 'zero');
    a.chat.edit({ message_id, author_id: 'ada', content: 'first' });
    syncAll([a, b]);
    b.chat.edit({ message_id, author_id: 'bob', content: 'second' });
    syncAll([a, b]);
    expect(a.chat.message(message_id)?.content).toBe('second');
    expectSame([a, b]);
  });

  it('[LW1] an annotation, a variable and a state written after seeing another show', () => {
    const { a, b, thread_id } = createApart();
    const { message_id } = say(a.chat, thread_id, 'zero');
    const write = ({ chat }: Replica, value: string): void => {
      chat.annotate({ message_id, user_id: 'ada', key: 'feedback', value });
      chat.setVariables({ scope: 'org', scope_id: 'acme', values: { tone: value } });
      chat.setState({ thread_id, state: value === 'first' ? 'error' : 'complete' });
    };
    write(a, 'first');
    syncAll([a, b]);
    write(b, 'second');
    syncAll([a, b]);
    expect(a.chat.annotations({ message_id })).toMatchObject([{ value: 'second' }]);
    expect(a.chat.variables('org', 'acme')).toEqual({ tone: 'second' });
    expect(a.chat.state(thread_id).state).toBe('complete');
    expectSame([a, b]);
  });

  it('[LW1] an activation written after seeing another shows', () => {
    const { a, b } = createApart();
    const slot = { root_id: 'r', owner_id: 'ada', provider: 'p' };
    const [one, two] = [1, 2].map(
      (number) => a.chat.createThread({ created_by: 'ada', slot: { ...slot, number } }).thread_id,
    );
    a.chat.activate({ thread_id: one ?? '' });
    syncAll([a, b]);
    b.chat.activate({ thread_id: two ?? '' });
    b.chat.activate({ thread_id: one ?? '' });
    b.chat.activate({ thread_id: two ?? '' });
    syncAll([a, b]);
    expect(a.chat.activeThread({ ...slot, purpose: 'chat' })).toBe(two);
    expectSame([a, b]);
  });

  it('[LW1] per field: what replaces a name leaves the pin of the same entry alone', () => {
    const [one, two, three] = [idAt(1), idAt(2), idAt(3)];
    const replica = replicaOf([
      header(),
      threadLine(T),
      configLine(three, T, { name: 'first', pin: true }),
      configLine(one, T, { name: 'second', replaces: [three] }),
      configLine(two, T, { pin: false }),
    ]);
    expect(replica.chat.config(T)).toMatchObject({ name: 'second', pin: true });
    expectSame([replica]);
  });

  it('[LW1] an entry without the field replaces nothing of it, and one that is absent replaces nothing', () => {
    const [one, two, three] = [idAt(1), idAt(2), idAt(3)];
    const replica = replicaOf([
      header(),
      threadLine(T),
      configLine(two, T, { name: 'kept' }),
      configLine(one, T, { pin: true, replaces: [two] }),
      configLine(three, T, { archived: true, replaces: [idAt(9)] }),
    ]);
    expect(replica.chat.config(T)).toMatchObject({ name: 'kept', pin: true, archived: true });
    expectSame([replica]);
  });

  it('[LW1] of what nobody has replaced the greatest id shows', () => {
    const revision = (id: string, content: string, replaces?: string[]): string =>
      entryLine('revision', id, {
        message_id: M,
        ...(replaces && { replaces }),
        author_id: 'ada',
        date: idDate,
        content,
      });
    const idDate = '2026-11-21T00:00:00.000Z';
    const replica = replicaOf([
      header(),
      threadLine(T),
      messageLine(M, T, { content: 'zero' }),
      revision(idAt(3), 'three'),
      revision(idAt(1), 'one'),
      revision(idAt(2), 'two', [idAt(3)]),
    ]);
    expect(replica.chat.message(M)?.content).toBe('two');
    expectSame([replica]);
  });

  it('[LW2] of a forged cycle the greatest wins', () => {
    const ids = [idAt(1), idAt(2), idAt(3)] as const;
    const replica = replicaOf([
      header(),
      threadLine(T),
      configLine(ids[0], T, { name: 'one', replaces: [ids[2]] }),
      configLine(ids[2], T, { name: 'three', replaces: [ids[1]] }),
      configLine(ids[1], T, { name: 'two', replaces: [ids[0]] }),
    ]);
    expect(replica.chat.config(T).name).toBe('three');
    expect(replica.chat.conflicts(T)).toEqual([]);
    expectSame([replica]);
  });

  it('[LW2] an entry that names itself is out only if another names it', () => {
    const replica = replicaOf([
      header(),
      threadLine(T),
      configLine(idAt(2), T, { name: 'itself', replaces: [idAt(2)] }),
      configLine(idAt(1), T, { name: 'other' }),
    ]);
    expect(replica.chat.config(T).name).toBe('itself');
    expectSame([replica]);
  });

  it('[LW3] two unreplaced heads of a field are a conflict until the next write of that field', () => {
    const { a, b, thread_id } = createPair();
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'A', pin: true });
    b.clock.time += MINUTE;
    b.chat.configure({ thread_id, updated_by: 'bob', name: 'B' });
    syncAll([a, b]);
    const conflicts = a.chat.conflicts(thread_id);
    expect(conflicts).toMatchObject([
      {
        field: 'name',
        entries: [
          { updated_by: 'bob', value: 'B' },
          { updated_by: 'ada', value: 'A' },
        ],
      },
    ]);
    expect(conflicts).toHaveLength(1);
    expect(a.chat.config(thread_id).name).toBe('B');
    a.chat.configure({ thread_id, updated_by: 'ada', pin: false });
    expect(a.chat.conflicts(thread_id)).toHaveLength(1);
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'C' });
    syncAll([a, b]);
    expect(b.chat.conflicts(thread_id)).toEqual([]);
    expect(b.chat.config(thread_id)).toMatchObject({ name: 'C', pin: false });
    expectSame([a, b]);
  });

  it('[LW4] fields edited apart are both kept; null clears, and absent reads as undefined', () => {
    const { a, b, thread_id } = createPair();
    a.chat.configure({ thread_id, updated_by: 'ada', name: 'Plan', acp_config: { model: 'm' } });
    b.chat.configure({ thread_id, updated_by: 'bob', thread_color: 'red', pin: true });
    syncAll([a, b]);
    expect(b.chat.config(thread_id)).toMatchObject({
      name: 'Plan',
      acp_config: { model: 'm' },
      thread_color: 'red',
      pin: true,
    });
    b.chat.configure({ thread_id, updated_by: 'bob', name: null });
    syncAll([a, b]);
    expect(a.chat.config(thread_id)).not.toHaveProperty('name');
    expect(a.chat.config(thread_id).archived).toBeUndefined();
    expect(a.chat.config(thread_id)).toMatchObject({ thread_color: 'red', updated_by: 'bob' });
    expectSame([a, b]);
  });
});
