import { deriveAnswerId, type Message } from '@chatdoc/schema';
import { isAnswer } from './rules/answers.js';
import { countContested } from './rules/config.js';
import { listOpenAttempts } from './rules/leases.js';
import type { SurveyedEntry } from './survey.js';

/** What the rules look at of one message, or of what is about a message that is not there. */
export interface MessageFacts {
  /** Undefined where the message is not there. */
  readonly thread: string | undefined;
  readonly date: string;
  /** It asks for an answer, or is one. */
  readonly agent: boolean;
  readonly expects: boolean;
  /** Of a prompt: the id of its answer. */
  readonly answerId: string | undefined;
  readonly replyTo: string | undefined;
  readonly promptId: string | undefined;
  /** Its id derives from the prompt that it names. */
  readonly isAnswer: boolean;
  /** Attempts that its lines name; of a message that is no answer itself. */
  readonly attempts: readonly string[];
  readonly open: readonly string[];
  /** Its record says all that its lines say, those of its attempt included. */
  readonly plain: boolean;
  /** Lines that say it answers a prompt of which it is not the answer. */
  readonly forged: number;
  /** Revisions that show at once. */
  readonly contested: number;
  /** Stops and retries about it. */
  readonly turns: number;
  /** Revisions, redactions, interrupts and annotations about it. */
  readonly others: number;
}

/** `entries` is what stands about the message; undefined of a plain one. */
export function readMessageFacts(
  id: string,
  message: Message | undefined,
  entries: readonly SurveyedEntry[] | undefined,
  old: MessageFacts | undefined,
): MessageFacts {
  const attempts = new Set<string>();
  const promptId = message?.prompt_id;
  // A forged answer has a problem, which spares a hash of all others.
  const isReal =
    message !== undefined && promptId !== undefined && (message.problem === undefined || isAnswer(message));
  if (entries === undefined) attempts.add(message?.attempt?.attempt ?? id);
  const revisions: SurveyedEntry<'revision'>[] = [];
  let forged = 0;
  let turns = 0;
  let others = 0;
  for (const each of entries ?? []) {
    if (each.type === 'message') {
      const { entry } = each as SurveyedEntry<'message'>;
      attempts.add(entry.attempt ?? id);
      if (entry.prompt_id !== undefined && entry.attempt !== undefined) {
        const isSame = isReal && entry.prompt_id === promptId;
        forged += isSame || deriveAnswerId(entry.prompt_id) === id ? 0 : 1;
      }
      continue;
    }
    if (each.type === 'stop' || each.type === 'retry') turns += 1;
    else others += 1;
    if (each.type === 'revision') revisions.push(each as SurveyedEntry<'revision'>);
  }
  const expects = message?.expects === 'answer';
  return {
    thread: message?.thread_id,
    date: message?.date ?? '',
    agent: expects || message?.attempt !== undefined,
    expects,
    answerId: expects ? (old?.answerId ?? deriveAnswerId(id)) : undefined,
    replyTo: message?.reply_to_message_id,
    promptId,
    isAnswer: isReal,
    attempts: [...attempts],
    open: message === undefined ? [] : listOpenAttempts(message),
    plain: entries === undefined,
    forged,
    contested: revisions.length < 2 ? 0 : countContested(revisions),
    turns,
    others,
  };
}
