/** A phrase that a translation brings along. */
export interface Phrase {
  readonly phrase: string;
  readonly pattern: RegExp;
  readonly say: string;
}

const UNITS = 'line|row|entry|record|field|key|name|message|thread|lane|document|process|replica|client';

export const PHRASES: readonly Phrase[] = [
  { phrase: 'Gives', pattern: /\bGives\b/g, say: 'Returns' },
  { phrase: 'unless given', pattern: /\bunless given\b/g, say: 'Defaults to' },
  { phrase: 'the result ends', pattern: /\bresult ends\b/g, say: 'Returns an unsubscribe function.' },
  {
    phrase: 'is no, are no',
    pattern: /(?<!here )\b(?:is|are) no\b(?!,|-| (?:longer|more|less|one)\b)/g,
    say: 'is not a, are not',
  },
  { phrase: 'stand', pattern: /\b(?:stand(?:s|ing)?|stood)\b(?! for\b)/gi, say: 'is, is in, comes before' },
  {
    phrase: 'says, tells, told',
    pattern: /\b(?:says|tells|told)\b/gi,
    say: 'has, names, reports, is notified',
  },
  { phrase: 'What …', pattern: /\/\*\*[\s*]+What\b/g, say: 'Options of …' },
  { phrase: 'whoever', pattern: /\bwhoever\b/gi, say: 'anyone' },
  { phrase: 'anew', pattern: /\banew\b/gi, say: 'again' },
  { phrase: 'apart', pattern: /\bapart\b(?! from\b)/gi, say: 'separately, offline' },
  { phrase: 'for ever', pattern: /\bfor ever\b/gi, say: 'permanently' },
  { phrase: 'but for', pattern: /\bbut for\b/gi, say: 'except' },
  { phrase: 'meanwhile', pattern: /\bmeanwhile\b/gi, say: 'in the meantime' },
  { phrase: 'mend', pattern: /\bmend(?:s|ed|ing)?\b/gi, say: 'fix, repair' },
  { phrase: 'all well', pattern: /\ball (?:is )?well\b/gi, say: 'no problems found' },
  { phrase: 'who only', pattern: /\bwho only\b/gi, say: 'if you only …' },
  {
    phrase: 'one … a line',
    pattern: new RegExp(
      `\\b(?:an?|one) (?!(?:where|with(?:out)?|as|is|by|of|under|microsecond) )[\\w\`]+ an? (?:${UNITS})\\b`,
      'gi',
    ),
    say: 'one … per line',
  },
  { phrase: 'has got its', pattern: /\bhas got its\b/gi, say: 'has been …' },
  { phrase: "somebody else's", pattern: /\bsomebody else's\b/gi, say: "the caller's, another connection's" },
  { phrase: 'that means anything', pattern: /\border that means\b/gi, say: 'in unspecified order' },
  { phrase: 'that nobody may', pattern: /\bnobody may\b/gi, say: 'retired' },
  { phrase: 'say not what', pattern: /\bsay not\b/gi, say: 'have no valid type or id' },
  { phrase: 'asks leave', pattern: /\basks? leave\b/gi, say: 'permission requests' },
  {
    phrase: 'so, at the end',
    pattern: /(?<!\b(?:and|are|do|if|is|not|or|says?|stays?|them)) so\.(?=\s|$)/gim,
    say: 'leave it out',
  },
];

/** A word of the glossary, and the exported names in which it means something else. */
export interface Name {
  readonly word: string;
  readonly pattern: RegExp;
  /** Groups in which the word has its one meaning. */
  readonly home?: readonly string[];
  /** Of types alone, and not of a harness, which makes faults on purpose. */
  readonly outcomes?: boolean;
  readonly say: string;
}

export const NAMES: readonly Name[] = [
  {
    word: 'slot',
    pattern: /slot/i,
    home: ['chat-schema', 'chat-turns', 'chat-integrity', 'chat-testkit', 'chat-migrate', 'chat-cli'],
    say: 'ref, permit',
  },
  {
    word: 'ledger',
    pattern: /ledger/i,
    home: ['chat-migrate', 'chat-cli'],
    say: 'owners, counters, journal',
  },
  { word: 'claim', pattern: /claim/i, home: ['chat-turns', 'chat-cli'], say: 'assertion' },
  {
    word: 'session',
    pattern: /session/i,
    home: ['chat-schema', 'chat-turns', 'chat-integrity', 'chat-testkit', 'chat-cli'],
    say: 'connection',
  },
  {
    word: 'row',
    pattern: /(?<!egacy)Rows?(?![a-z])|^rows?(?![a-z])/,
    home: ['chat-migrate', 'chat-sync', 'chat-integrity', 'chat-testkit', 'chat-cli'],
    say: 'line ref',
  },
  { word: 'head', pattern: /FrameHead(?!er)/, say: 'frame header' },
  { word: 'heads', pattern: /(?<!onflict)Heads(?![a-z])/, say: 'conflict heads' },
  { word: 'lost', pattern: /^lost|Lost(?![a-z])/, say: 'superseded, outranked, deleted, disconnected' },
  {
    word: 'Fault',
    pattern: /(?:Failure|Problem|Offence|Reason|Violation|Damage|Fault)s?(?:Code|Kind)?$/,
    outcomes: true,
    say: 'Error, Refusal, Finding',
  },
  { word: 'listen', pattern: /^(?:listen|follow|observe)(?![a-z])/, say: 'subscribe' },
  { word: 'watch', pattern: /^watch(?![a-z])/, home: ['chat-integrity', 'chat-cli'], say: 'subscribe' },
  {
    word: 'heal',
    pattern: /^(?:mend|heal|rescue|putRight|confirm)(?![a-z])/,
    say: 'repair, rehost, recover, adopt',
  },
  {
    word: 'take',
    pattern: /^(?:take|tell|note|hold|give|stand)(?![a-z])/,
    say: 'apply, notify, mark, record, flush, settle',
  },
  { word: 'MOST', pattern: /^(?:MOST|LONGEST|most|longest)(?![a-z])/, say: 'MAX_GAPS, maxRounds' },
];
