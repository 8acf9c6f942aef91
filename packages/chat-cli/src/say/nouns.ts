/** `1 line`, `2 lines`, `2 entries`. */
export function countNoun(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Why a row of an old file became no message, for a person. */
const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  agent: ['agent event', 'agent events'],
  bookkeeping: ['bookkeeping line', 'bookkeeping lines'],
  copy: ['copied line', 'copied lines'],
  draft: ['unsent draft', 'unsent drafts'],
  hidden: ['hidden message', 'hidden messages'],
  jupyter_attachment: ['unused attachment', 'unused attachments'],
  jupyter_member: ['other part of the file', 'other parts of the file'],
  jupyter_metadata: ['metadata record', 'metadata records'],
  jupyter_user: ['user profile', 'user profiles'],
  no_message: ['root of a conversation', 'roots of conversations'],
  no_messages: ['empty conversation', 'empty conversations'],
  not_a_row: ['line that is no row', 'lines that are no rows'],
  not_json: ['damaged line', 'damaged lines'],
  old_config: ['outdated setting', 'outdated settings'],
  partial: ['incomplete row', 'incomplete rows'],
  repeated: ['repeated text', 'repeated texts'],
  superseded: ['older version of a message', 'older versions of messages'],
  title: ['title', 'titles'],
  placeholder: ['placeholder', 'placeholders'],
  unfit: ['row too large for a message', 'rows too large for a message'],
  unknown_event: ['row of an unknown kind', 'rows of an unknown kind'],
  video: ['video call event', 'video call events'],
  video_chat: ['video call message', 'video call messages'],
};

export function nameReason(reason: string, count: number): string {
  const [one, many] = REASONS[reason] ?? [`row (${reason})`, `rows (${reason})`];
  return countNoun(count, one, many);
}

/** Rows that programs made: nobody misses them in the chat. */
const NOT_WRITTEN: ReadonlySet<string> = new Set([
  'agent',
  'bookkeeping',
  'copy',
  'hidden',
  'jupyter_member',
  'jupyter_metadata',
  'jupyter_user',
  'no_message',
  'no_messages',
  'old_config',
  'placeholder',
  'repeated',
  'title',
  'video',
]);

/** Whether any of the rows that were set aside, counted by reason, may be what a person wrote. */
export function hasWrittenRows(setAside: Readonly<Record<string, number>>): boolean {
  return Object.keys(setAside).some((reason) => !NOT_WRITTEN.has(reason));
}

const SHOWN = 5;

/** The first few, and how many there are besides. */
export function listSome(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB'] as const;

/** `512 bytes`, `3.4 MB`: for a person, in powers of 1,000. */
export function countBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return count === 1 ? '1 byte' : `${count} bytes`;
  return `${value < 9.95 ? value.toFixed(1) : String(Math.round(value))} ${UNITS[unit]}`;
}
