import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { COUNTERS, createLeaseRule, RULES, type Rule } from '../packages/chat-integrity/src/index.js';

/** Writes docs/rules.md, which says what the rules of the integrity package say. `--check` only compares. */

export const PAGE: string = fileURLToPath(new URL('../docs/rules.md', import.meta.url));

const HEAD = `# Rules of a chat document

Written by \`node --conditions=@chatdoc/source --import tsx tools/rules-page.ts\` from the rules themselves; a test fails
where they differ. \`check\` reports findings of these rules, \`watch\` counts them, \`repair\` runs what is under "Repair".

| severity  | what can repair it                                      |
| --------- | ------------------------------------------------------- |
| \`error\`   | nothing that may still arrive                           |
| \`warning\` | something that may still arrive, or a person            |
| \`info\`    | nothing need be done: it is counted, and harmless alone |

## What needs no rule

Some things cannot be otherwise, whatever the lines say: the fold makes them so.

- Settings of a thread come from \`thread_config\` entries alone: no other entry has a field that is read as one.
- A thread with messages has exactly one root, and a slot with threads exactly one active thread.
- A prompt has one answer in the list, however many attempts there were; the id of the answer derives from the prompt's.
- A message has one place in the order, also in a circle of replies.
`;

export function renderPage(): string {
  const rules = [...RULES, createLeaseRule(() => true)].sort((a, b) => numberOf(a) - numberOf(b));
  return `${HEAD}${rules.map(renderRule).join('')}`;
}

function renderRule({ id, name, severity, description, repair, unrepaired = '' }: Rule): string {
  const repaired =
    repair === undefined
      ? [`- No repair. ${unrepaired}`]
      : [`- Repair: ${repair.description}`, `- Taken back: ${repair.undo}`];
  const lines = [`- Severity: \`${severity}\``, `- Counter: \`${COUNTERS[id] ?? ''}\``, ...repaired];
  return `\n## ${id} \`${name}\`\n\n${description}\n\n${lines.join('\n')}\n`;
}

function numberOf({ id }: Rule): number {
  return Number(id.slice(2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) writeFileSync(PAGE, renderPage());
  else if (readFileSync(PAGE, 'utf8') !== renderPage()) {
    console.error('docs/rules.md is not what the rules say: run tools/rules-page.ts');
    process.exitCode = 1;
  }
}
