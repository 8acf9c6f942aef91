import { isUlid } from '@chatdoc/schema';
import { z } from 'zod';
import { DIGEST_LENGTH } from './digest-exchange-lanes.js';

/**
 * A message is one line of JSON, then lines that are no JSON of ours: ids, digests, or JSONL as it stands in
 * lanes. So nothing is escaped twice, and only a short line is parsed.
 */
export type ExchangeMessage =
  | DigestMessage
  /** Payload: `<lane id> <digest>`, all lanes with `after` < id <= `through`; null is no bound. */
  | ({ readonly type: 'chatdoc/lanes'; readonly lanes: readonly (readonly [string, string])[] } & Range)
  /** Payload: ids of lanes, each with the digests of all its lines behind it. `asks` for the other's in answer. */
  | { readonly type: 'chatdoc/lines'; readonly asks: boolean; readonly lanes: readonly LaneLines[] }
  /** Payload: JSONL of lines that the other lacks. */
  | { readonly type: 'chatdoc/entries'; readonly jsonl: string };

export interface DigestMessage {
  readonly type: 'chatdoc/digest';
  /** SHA-256 of the state vector. */
  readonly state: string;
  /** `chat.digest()`. */
  readonly digest: string;
}

export interface Range {
  /** Null for no bound. */
  readonly after: string | null;
  readonly through: string | null;
}

export interface LaneLines {
  readonly lane_id: string;
  readonly digests: readonly string[];
}

export interface Address {
  readonly doc_id: string;
  readonly generation: number;
}

export type ReadMessage =
  | { readonly ok: true; readonly address: Address; readonly message: ExchangeMessage }
  | { readonly ok: false };

const MAX_HEAD = 1_024;
const LANE_LINE = new RegExp(`^(?:[0-7][0-9A-HJKMNP-TV-Z]{25})? [0-9a-f]{${DIGEST_LENGTH}}$`);
const DIGEST_LINE = new RegExp(`^[0-9a-f]{${DIGEST_LENGTH}}$`);

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const laneId = z.union([z.literal(''), z.string().refine(isUlid)]);
const address = {
  doc_id: z.string().refine(isUlid),
  generation: z.number().int().min(0).max(0xffff_ffff),
};
const headSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('chatdoc/digest'), ...address, state: hash, digest: hash }),
  z.object({
    type: z.literal('chatdoc/lanes'),
    ...address,
    after: laneId.nullable(),
    through: laneId.nullable(),
  }),
  z.object({
    type: z.literal('chatdoc/lines'),
    ...address,
    asks: z.boolean(),
  }),
  z.object({ type: z.literal('chatdoc/entries'), ...address }),
]);

export function writeMessage({ doc_id, generation }: Address, message: ExchangeMessage): string {
  const write = (head: object, lines: readonly string[]): string =>
    [JSON.stringify(head), ...lines].join('\n');
  switch (message.type) {
    case 'chatdoc/digest': {
      const { type, state, digest } = message;
      return write({ type, doc_id, generation, state, digest }, []);
    }
    case 'chatdoc/lanes': {
      const { type, after, through, lanes } = message;
      return write(
        { type, doc_id, generation, after, through },
        lanes.map((lane) => lane.join(' ')),
      );
    }
    case 'chatdoc/lines': {
      const { type, asks, lanes } = message;
      return write(
        { type, doc_id, generation, asks },
        lanes.flatMap(({ lane_id, digests }) => [lane_id, ...digests]),
      );
    }
    case 'chatdoc/entries':
      return write({ type: message.type, doc_id, generation }, [message.jsonl]);
  }
}

/** Never throws. O(message), up to `most` code units. */
export function readMessage(text: unknown, most: number): ReadMessage {
  if (typeof text !== 'string' || text.length > most) return { ok: false };
  const newline = text.indexOf('\n');
  const end = newline < 0 ? text.length : newline;
  if (end > MAX_HEAD) return { ok: false };
  let json: unknown;
  try {
    json = JSON.parse(text.slice(0, end));
  } catch {
    return { ok: false };
  }
  const read = headSchema.safeParse(json);
  if (!read.success) return { ok: false };
  const { doc_id, generation, ...head } = read.data;
  const message = addPayload(head, newline < 0 ? undefined : text.slice(newline + 1));
  return message === undefined ? { ok: false } : { ok: true, address: { doc_id, generation }, message };
}

type Head = Omit<z.infer<typeof headSchema>, keyof Address>;

function addPayload(head: Head, payload: string | undefined): ExchangeMessage | undefined {
  const rest = head as z.infer<typeof headSchema>;
  const lines = payload === undefined ? [] : payload.split('\n');
  switch (rest.type) {
    case 'chatdoc/digest':
      return payload === undefined ? rest : undefined;
    case 'chatdoc/lanes':
      if (!lines.every((line) => LANE_LINE.test(line))) return undefined;
      return { ...rest, lanes: lines.map((line) => line.split(' ') as [string, string]) };
    case 'chatdoc/lines': {
      const lanes = groupLanes(lines);
      return lanes === undefined ? undefined : { ...rest, lanes };
    }
    case 'chatdoc/entries':
      return payload?.endsWith('\n') === true ? { ...rest, jsonl: payload } : undefined;
  }
}

function groupLanes(lines: readonly string[]): LaneLines[] | undefined {
  const lanes: { readonly lane_id: string; readonly digests: string[] }[] = [];
  for (const line of lines) {
    if (line === '' || isUlid(line)) lanes.push({ lane_id: line, digests: [] });
    else if (!DIGEST_LINE.test(line) || lanes.at(-1)?.digests.push(line) === undefined) return undefined;
  }
  return lanes;
}
