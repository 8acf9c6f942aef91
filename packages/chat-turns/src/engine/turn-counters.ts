import type { Chat } from '@chatdoc/schema';
import { observeRequests, type RequestEvent } from '../request-events.js';
import type { EngineEvent, TurnEngine } from './engine.js';

/** Descriptions of the counters, by name. All begin at 0. */
export const TURN_COUNTERS = {
  'chat.turns.prompts.sent': 'prompts that were new',
  'chat.turns.prompts.known': 'prompts sent again, which made no second one',
  'chat.turns.prompts.revised': 'prompts sent again with another text',
  'chat.turns.prompts.busy': 'prompts rejected because of a turn in the way',
  'chat.turns.prompts.duplicate':
    'prompts sent again by the same client id with another date, found all the same',
  'chat.turns.stops.queued': 'stops of turns that waited',
  'chat.turns.stops.running': 'stops of turns that ran',
  'chat.turns.stops.interrupted': 'stops of turns whose runner was gone',
  'chat.turns.stops.ended': 'stops of turns that had ended',
  'chat.turns.retries': 'turns that were asked for again',
  'chat.turns.claimed': 'attempts begun here',
  'chat.turns.answers.found': 'prompts that waited here and were answered by another runner',
  'chat.turns.outcome.complete': 'turns that completed',
  'chat.turns.outcome.stopped': 'turns that were stopped',
  'chat.turns.outcome.error': 'turns that failed',
  'chat.turns.outcome.superseded': 'attempts that lost against another of the same answer',
  'chat.turns.outcome.retried': 'turns ended for a retry',
  'chat.turns.outcome.redacted': 'turns whose prompt or answer was redacted',
  'chat.turns.outcome.closed': 'turns left open by closing the engine',
  'chat.turns.outcome.disconnected': 'turns whose document could no longer be written',
  'chat.turns.unacknowledged': 'agents left behind because they ignored their signal',
  'chat.turns.events.late': 'events refused because they came too late',
  'chat.turns.events.unknown': 'events of kinds not known here',
  'chat.turns.events.bad': 'events that nothing could be stored of',
  'chat.turns.events.cut': 'values cut to fit in a line',
  'chat.turns.session_conflicts': 'sessions not saved because somebody else had changed them',
  'chat.turns.faults': 'documents no longer served',
} as const;

/** Of the present, not of all time. */
export const TURN_GAUGES = {
  'chat.turns.running': 'turns that run here',
  'chat.turns.queue.length': 'prompts that wait in threads that are served here',
  'chat.turns.queue.age': 'how long the one that waits longest has waited here, ms',
} as const;

export type TurnCounterName = keyof typeof TURN_COUNTERS;
export type TurnGaugeName = keyof typeof TURN_GAUGES;

/** Counts what an engine does, and what people ask for in chats. Costs O(1) per event. */
export class TurnCounters {
  readonly #engine: TurnEngine;
  readonly #counts = new Map<TurnCounterName, number>();
  readonly #unsubscribe: (() => void)[];

  constructor(engine: TurnEngine) {
    this.#engine = engine;
    this.#unsubscribe = [engine.subscribe((event) => this.#countEvent(event))];
  }

  /** Counts requests made through this chat in this process, with or without an engine. */
  observe(chat: Chat): () => void {
    const unsubscribe = observeRequests(chat, (event) => this.#countRequest(event));
    this.#unsubscribe.push(unsubscribe);
    return unsubscribe;
  }

  /** All counters since the beginning, those at 0 included. */
  counters(): Readonly<Record<TurnCounterName, number>> {
    const names = Object.keys(TURN_COUNTERS) as TurnCounterName[];
    const counts = names.map((name) => [name, this.#counts.get(name) ?? 0] as const);
    return Object.fromEntries(counts) as Record<TurnCounterName, number>;
  }

  gauges(): Readonly<Record<TurnGaugeName, number>> {
    const { running, waiting, longest_wait_ms } = this.#engine.load();
    return {
      'chat.turns.running': running,
      'chat.turns.queue.length': waiting,
      'chat.turns.queue.age': longest_wait_ms,
    };
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  #countRequest(event: RequestEvent): void {
    if (event.type === 'submitted') {
      this.#add(`chat.turns.prompts.${event.outcome}`);
      if (event.has_other_date) this.#add('chat.turns.prompts.duplicate');
    } else if (event.type === 'stopped') this.#add(`chat.turns.stops.${event.kind}`);
    else this.#add('chat.turns.retries');
  }

  #countEvent(event: EngineEvent): void {
    switch (event.type) {
      case 'claimed':
        this.#add('chat.turns.claimed');
        break;
      case 'answer_found':
        this.#add('chat.turns.answers.found');
        break;
      case 'settled':
        if (!event.acknowledged) this.#add('chat.turns.unacknowledged');
        this.#add(`chat.turns.outcome.${event.outcome}`);
        break;
      case 'drained':
        this.#add('chat.turns.events.late', event.late_events);
        this.#add('chat.turns.events.unknown', event.unknown_events);
        this.#add('chat.turns.events.bad', event.bad_events);
        this.#add('chat.turns.events.cut', event.cut_values);
        break;
      case 'session_conflict':
        this.#add('chat.turns.session_conflicts');
        break;
      default:
        this.#add('chat.turns.faults');
        break;
    }
  }

  #add(name: TurnCounterName, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }
}
