import fc from 'fast-check';
import { type LegacyFile, type LegacyRow, toBytes } from './legacy-file.js';

/** The shapes of jupyter-chat documents, in the order of time. */
export const JUPYTER_SHAPES = [
  'embedded',
  'map',
  'list',
  'attachments',
  'personas',
  'bundle',
  'metadata',
  'socket',
] as const;
export type JupyterShape = (typeof JUPYTER_SHAPES)[number];

const spec = fc.record({
  /** Microseconds. */
  gap: fc.constantFrom(1, 999, 1_000_000, 3_600_000_000),
  person: fc.nat(2),
  word: fc.constantFrom('hi', '# title', '👋', 'a\nb', '日本'),
  isDeleted: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
  isEdited: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
  flavor: fc.nat(5),
});
type Spec = typeof spec extends fc.Arbitrary<infer T> ? T : never;

const START = Date.UTC(2025, 4, 1) / 1000;
const KEYS = ['u1', 'u2', 'jupyter-ai-personas::pkg::Helper'] as const;

function createMessage(shape: JupyterShape, one: Spec, micros: number, index: number): LegacyRow {
  const { person, word, isDeleted, isEdited, flavor } = one;
  const text = `${word} ${index}`;
  const key = KEYS[person] ?? '';
  const body = isDeleted ? '' : text;
  const value = {
    id: shape === 'socket' ? `${index}`.padStart(32, 'a') : `message-${index}`,
    type: 'msg',
    time: START + micros / 1e6,
    sender: shape === 'embedded' ? { username: key, name: key, color: 'red' } : key,
    body: shape === 'bundle' && !isDeleted ? { 'text/markdown': text, 'text/plain': 'plain' } : body,
    ...(isDeleted ? { deleted: true } : {}),
    ...(isEdited ? { edited: true } : {}),
    ...DRESSES[shape]?.(flavor, index),
  };
  return { value, needs: index === 0 ? [] : [0], shown: isDeleted ? [] : [text] };
}

type Columns = Readonly<Record<string, unknown>>;

const DRESSES: Partial<Record<JupyterShape, (flavor: number, index: number) => Columns>> = {
  attachments: (flavor) => (flavor < 3 ? { attachments: ['f1', 'gone'].slice(0, flavor) } : {}),
  personas: (flavor) => ({ mentions: flavor < 2 ? [KEYS[2]] : [], raw_time: false }),
  metadata: (flavor, index) => ({
    raw_time: false,
    metadata:
      flavor < 3
        ? {
            tool_calls: [{ tool_call_id: `t${index}`, title: 'ls', status: 'completed', raw_output: 'a' }],
            to_persona: 'x',
          }
        : {},
  }),
  socket: (flavor) => (flavor < 2 ? { attachments: [{ type: 'file', value: 'a.txt' }] } : { stacked: true }),
};

/** A document of one shape: its messages are rows, its users and attachments are beside them. */
export function jupyterFiles(shape: JupyterShape): fc.Arbitrary<LegacyFile> {
  return fc.array(spec, { minLength: 1, maxLength: 10 }).map((specs) => {
    let micros = 0;
    const rows = specs.map((one, index) => {
      micros += one.gap;
      return createMessage(shape, one, micros, index);
    });
    const rest = writeMembers(shape);
    const write = (some: readonly LegacyRow[]): Uint8Array => {
      const messages = some.map(({ value }) => value);
      const byId = Object.fromEntries(messages.map((message) => [String(message['id']), message]));
      const document = { messages: shape === 'map' ? byId : messages, ...rest };
      return toBytes(JSON.stringify(document, null, shape === 'list' ? 0 : 2));
    };
    const beside = Object.entries(rest).reduce(
      (sum, [member, value]) => sum + (member === 'metadata' ? 1 : Object.keys(value).length),
      0,
    );
    return { rows, write, count: (some) => some.length + beside, isSet: false };
  });
}

function writeMembers(shape: JupyterShape): Readonly<Record<string, Columns>> {
  if (shape === 'embedded') return {};
  const users = { u1: { username: 'u1', mention_name: null }, [KEYS[2]]: { username: KEYS[2], bot: true } };
  if (shape === 'map') return { users };
  const attachments = {
    f1: { type: 'file', value: 'a.txt' },
    f2: { type: 'notebook', value: 'b.ipynb', cells: [] },
  };
  const metadata = { id: 'chat', acp_session_ids: { x: 's' } };
  return shape === 'list' ? { users, metadata } : { users, attachments, metadata };
}
