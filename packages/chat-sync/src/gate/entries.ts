import { deriveAnswerId, type Entry, type LaneEntry } from '@chatdoc/schema';
import { type Header, isPrivateKind, KIND, parseLine, ROLE } from '@chatdoc/schema/internal';
import { refuseUnless } from '../update/refusal.js';
import { findAssertion, type GateAction, isShared } from './assertions.js';
import type { CheckedLine, LineIds } from './lines.js';
import { type Author, type Known, SEVERAL } from './owners.js';
import { Staged } from './staged.js';

/** What the check asks of its gate about the connection that sends. */
export interface Sender {
  readonly user: string | undefined;
  /** Whether it may go on in the name of a clientID of the document. */
  mayUseClient(client: number): boolean;
  /** Whether it may go on under the writer id of this header. */
  mayUseWriter(lane: LaneEntry): boolean;
  allows(
    action: GateAction,
    author: string | null,
    own: boolean,
    entry: Entry | LaneEntry | undefined,
  ): boolean;
}

/** The entries of one update: whether the sender may write each, given who owns what and what came before it. */
export class EntryRules {
  readonly #staged: Staged;
  readonly #sender: Sender;
  readonly #redactions: { readonly entry: Entry & { type: 'redaction' }; readonly lane: LaneEntry }[] = [];
  /** Of lines whose text is deleted: their messages must be redacted. */
  readonly #blanked: LineIds[] = [];
  #mayImport: boolean | undefined;

  constructor(known: Known, sender: Sender) {
    this.#staged = new Staged(known);
    this.#sender = sender;
  }

  mayImport(): boolean {
    this.#mayImport ??= this.#sender.allows('import', null, false, undefined);
    return this.#mayImport;
  }

  /** A header of the sender's own. */
  checkHeader({ lane }: Header): void {
    if (lane === null) return;
    const { user } = this.#sender;
    if (user !== undefined) refuseUnless(lane.user_id === user, 'user');
    else if (lane.user_id !== undefined) {
      refuseUnless(this.#sender.allows('lane', lane.user_id, false, lane), 'user');
    }
    const known = this.#staged.writer(lane.writer_id);
    refuseUnless(known === undefined || this.#sender.mayUseWriter(known), 'writer');
    this.#staged.addWriter(lane);
  }

  check({ ids, entry }: CheckedLine, header: Header): void {
    const { lane } = header;
    if (lane === null) return;
    if (entry === undefined) {
      refuseUnless(this.#sender.allows('later', null, false, undefined), 'author');
    } else if (ids.role === ROLE.attempt) this.checkAttempt(ids, header);
    else this.#checkEntry(ids, entry, lane);
    this.#staged.addLine(ids, header, () => true);
  }

  /** A line that may be anybody's, as an import brings it. */
  take(line: string, ids: LineIds, header: Header | undefined): void {
    if (header === undefined) return;
    if (ids.kind === KIND.lane && header.lane !== null) this.#staged.addWriter(header.lane);
    this.#staged.addLine(ids, header, () => parseLine(line).ok);
  }

  /** A part or a finish: of whose attempt or message it is, or of nobody's yet. */
  checkAttempt({ subject }: LineIds, { lane }: Header): void {
    const holder = this.#staged.answer(subject)?.lane ?? this.#staged.author(subject);
    refuseUnless(holder === undefined || lane === null || isOf(holder, lane), 'attempt');
  }

  addBlanked(ids: LineIds): void {
    this.#blanked.push(ids);
  }

  /** What can be judged only once all lines of the update are known. */
  finish(): void {
    for (const { entry, lane } of this.#redactions) {
      const { by, message_id } = entry;
      const own = this.#isOwn(message_id, lane);
      refuseUnless(this.#sender.allows('redact', by, own, entry), 'redaction');
    }
    for (const ids of this.#blanked) this.assertRedacted(ids);
  }

  assertRedacted(ids: LineIds): void {
    const message = this.#messageOf(ids);
    refuseUnless(message !== undefined && this.#staged.isRedacted(message), 'deletion');
  }

  #checkEntry(ids: LineIds, entry: Entry, lane: LaneEntry): void {
    if (entry.type === 'message') this.#checkMessage(entry, lane);
    else {
      const known = this.#staged.entry(ids);
      refuseUnless(known === undefined || known.user_id === lane.user_id || isShared(entry), 'id_taken');
    }
    if (entry.type === 'redaction') {
      this.#redactions.push({ entry, lane });
      return;
    }
    const assertion = findAssertion(entry);
    if (assertion === undefined) return;
    const { action, author, message_id } = assertion;
    if (action === 'import') {
      refuseUnless(this.mayImport(), 'import');
      return;
    }
    const own = message_id !== undefined && this.#isOwn(message_id, lane);
    refuseUnless(this.#sender.allows(action, author, own, entry), 'author');
  }

  // An answer's id derives from its prompt, and an attempt's id is its writer's alone: a redaction of a message
  // takes the text of every attempt that one of its lines names.
  #checkMessage({ message_id, prompt_id, attempt }: Entry & { type: 'message' }, lane: LaneEntry): void {
    const staged = this.#staged;
    if (attempt !== undefined && prompt_id !== undefined) {
      refuseUnless(message_id === deriveAnswerId(prompt_id), 'schema');
      const author = staged.author(attempt);
      refuseUnless(author === undefined || isOf(author, lane), 'attempt');
    } else {
      const author = staged.author(message_id);
      refuseUnless(author === undefined || isOf(author, lane), 'id_taken');
    }
    const answer = staged.answer(attempt ?? message_id);
    if (answer === undefined) return;
    const isSame = attempt === undefined || answer.message_id === message_id;
    refuseUnless(isSame && isOf(answer.lane, lane), 'attempt');
  }

  #isOwn(messageId: string, lane: LaneEntry): boolean {
    const author = this.#staged.author(messageId);
    return author !== undefined && isOf(author, lane);
  }

  /** The message that a line of text is about: of a message, a revision, a legacy row, a part or a finish. */
  #messageOf({ kind, role, subject }: LineIds): string | undefined {
    if (!isPrivateKind(kind) || subject === '') return undefined;
    // A message that is no answer is its own attempt.
    return role === ROLE.attempt ? (this.#staged.answer(subject)?.message_id ?? subject) : subject;
  }
}

function isOf(author: Author, lane: LaneEntry): boolean {
  return author !== SEVERAL && author.user_id === lane.user_id;
}
