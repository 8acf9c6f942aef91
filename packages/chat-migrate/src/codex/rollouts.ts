import type { JsonObject } from '@chatdoc/schema';
import { MediaFilter } from '../conversations/media.js';
import type { Home } from '../conversations/spoken.js';
import { readDate } from '../source/dates.js';
import { isJsonObject, omitKeys, readName } from '../source/json-value.js';
import { timeOfUuid } from './lines.js';

/** A session of Codex, by its header and what its turns say. */
export class Rollout {
  readonly id: string;
  readonly time: number | undefined;
  readonly #meta: JsonObject;
  #name: string | undefined;
  #cwd: string | undefined;
  #model: string | undefined;

  constructor(id: string, meta: JsonObject, time: number | undefined) {
    this.id = id;
    this.#meta = meta;
    this.time = readDate(meta['timestamp'])?.time ?? timeOfUuid(id) ?? time;
    this.#cwd = readName(meta['cwd']);
  }

  rename(name: string | undefined): void {
    if (name !== undefined) this.#name = name;
  }

  learn(context: JsonObject, isCopy: boolean): void {
    if (isCopy && this.#model !== undefined) return;
    this.#cwd = readName(context['cwd']) ?? this.#cwd;
    this.#model = readName(context['model']) ?? this.#model;
  }

  toHome(): Home {
    const spawn = this.#readSpawn();
    const nickname = readName(spawn?.['agent_nickname']) ?? readName(this.#meta['agent_nickname']);
    const isRun = spawn !== undefined;
    const name = this.#name ?? (isRun ? (nickname ?? readName(spawn['agent_role'])) : undefined);
    const cwd = this.#cwd;
    const model = this.#model;
    const acp_config = { ...(cwd === undefined ? {} : { cwd }), ...(model === undefined ? {} : { model }) };
    const legacy = omitKeys(this.#meta, FIELDS);
    return {
      key: this.id,
      purpose: isRun ? 'run' : 'chat',
      time: this.time,
      creator: 'user',
      ...(name === undefined ? {} : { name }),
      isNamedByPrompt: true,
      updated: this.time,
      config: {
        ...(Object.keys(acp_config).length === 0 ? {} : { acp_config }),
        session: { provider: 'codex', session_id: this.id },
      },
      ...(legacy === undefined ? {} : { legacy: new MediaFilter().stripMembers(legacy) }),
      rows: [],
    };
  }

  #readSpawn(): JsonObject | undefined {
    const { source } = this.#meta;
    const subagent = isJsonObject(source) ? source['subagent'] : undefined;
    if (subagent === undefined) return undefined;
    const spawn = isJsonObject(subagent) ? subagent['thread_spawn'] : undefined;
    return isJsonObject(spawn) ? spawn : {};
  }
}

/** Instructions are hidden: they stay in the row of the header. */
const FIELDS: ReadonlySet<string> = new Set([
  'id',
  'session_id',
  'timestamp',
  'cwd',
  'instructions',
  'base_instructions',
  'dynamic_tools',
]);

/** Lines that a fork copies come in one burst. */
const BURST_MS = 50;

/** Whose lines are whose: a fork begins with the lines of what it was forked from, headers included. */
export class Rollouts {
  readonly #sessions = new Map<string, Rollout>();
  /** The session of the file, then those that it was forked from, nearest first. */
  #chain: Rollout[] = [];
  #begun: number | undefined;
  #isFork = false;

  /** Takes a header. Returns whether a file begins with it. */
  begin(meta: JsonObject, time: number | undefined): boolean {
    const id = readName(meta['id']) ?? readName(meta['session_id']) ?? 'session';
    const known = this.#sessions.get(id);
    const session = known ?? new Rollout(id, meta, time);
    this.#sessions.set(id, session);
    const isReplay = this.#isFork && this.#chain.length > 0 && (known !== undefined || this.#isInBurst(time));
    if (isReplay) {
      if (!this.#chain.includes(session)) this.#chain.push(session);
      return false;
    }
    if (this.#chain[0] === session) return false;
    this.#chain = [session];
    this.#begun = time;
    this.#isFork = readName(meta['forked_from_id']) !== undefined;
    return true;
  }

  #isInBurst(time: number | undefined): boolean {
    return time !== undefined && this.#begun !== undefined && time - this.#begun <= BURST_MS;
  }

  /** The session that a turn belongs to: the youngest of the chain that is not younger than the turn. */
  ownerOf(
    turn: string | undefined,
    time: number | undefined,
  ): { readonly session: Rollout; readonly isCopy: boolean; readonly stamp: number | undefined } {
    const stamp = timeOfUuid(turn);
    const own = this.#chain[0] ?? this.#unknown();
    if (this.#chain.length < 2) return { session: own, isCopy: false, stamp };
    if (stamp === undefined) {
      const isCopy = this.#isInBurst(time);
      return { session: isCopy ? (this.#chain[1] ?? own) : own, isCopy, stamp };
    }
    const session =
      this.#chain.find(({ id, time: begun }) => (timeOfUuid(id) ?? begun ?? 0) <= stamp) ??
      this.#chain.at(-1) ??
      own;
    return { session, isCopy: session !== own, stamp };
  }

  #unknown(): Rollout {
    const session = new Rollout('session', {}, undefined);
    this.#sessions.set(session.id, session);
    this.#chain = [session];
    return session;
  }

  current(): Rollout | undefined {
    return this.#chain[0];
  }

  list(): readonly Rollout[] {
    return [...this.#sessions.values()];
  }
}
