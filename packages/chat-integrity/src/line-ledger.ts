import type { Chat } from '@chatdoc/schema';
import { CUT, isProblem, isWithoutIdentity } from './rules/entries.js';
import type { SurveyedEntry, SurveyedSubject } from './survey.js';
import { type Named, NameTally, Tally } from './tally.js';

/** What is wrong with lines, whatever they say: unreadable, cut, of one id, of others, of a later version. */
export class LineLedger {
  readonly names: NameTally = new NameTally();
  readonly tally: Tally = new Tally();
  readonly #chat: Chat;
  readonly #texts = new Set<string>();
  #isStale = false;

  constructor(chat: Chat) {
    this.#chat = chat;
  }

  note(texts: readonly string[], document: boolean): void {
    for (const key of texts) this.#texts.add(key);
    this.#isStale ||= document;
  }

  settle(): void {
    const { inspector } = this.#chat;
    for (const key of this.#texts) this.tally.set('IN17', `text ${key}`, inspector.countForeign(key));
    this.#texts.clear();
    if (!this.#isStale) return;
    this.#isStale = false;
    const entries = inspector.documentEntries() as unknown as readonly SurveyedEntry[];
    this.hold('document', { entries, faults: inspector.documentFaults() });
    this.tally.set('IN21', 'document', inspector.hiddenLanes().length);
    this.tally.set('IN22', 'document', inspector.unknownTypes().length);
  }

  /** What is wrong with the lines about a subject. */
  hold(subject: string, { entries, faults }: SurveyedSubject): void {
    const names: Named[] = [];
    let cut = 0;
    for (const each of entries) {
      if (isProblem(each.problem)) names.push({ rule: 'IN23', name: each.id });
      if (each.cut && each.type !== 'part') cut += 1;
    }
    for (const { lane_id, line } of faults?.duplicates ?? []) {
      if (!line.endsWith(CUT)) names.push({ rule: 'IN15', name: `${lane_id ?? ''} ${line}` });
    }
    for (const { lane_id, line } of faults?.ignored ?? []) {
      names.push({ rule: 'IN18', name: `${lane_id ?? ''} ${line}` });
    }
    for (const { lane_id, line, reason } of faults?.quarantined ?? []) {
      const rule = isWithoutIdentity(reason) ? 'IN29' : 'IN20';
      names.push({ rule, name: `${lane_id ?? ''} ${reason} ${line}` });
    }
    this.names.hold(subject, names);
    this.tally.set('IN24', subject, cut);
  }
}
