import { type Agent, type Script, type ScriptStep, scriptedAgent, type Turn } from '@chatdoc/turns';

/** Agents without a model: what they say is written here. Each word takes a moment, so that it can be stopped. */

const WORD_MS = 40;

function speak(text: string): ScriptStep[] {
  return text.split(/(?<=\s)/).flatMap((word): ScriptStep[] => [
    { type: 'text', text: word },
    { type: 'wait', ms: WORD_MS },
  ]);
}

function echo({ prompt }: Turn): Script {
  const said = prompt.content.replace(/@echo/g, '').trim() || 'nothing';
  return {
    steps: speak(
      `You said **${said}**.\n\nI am a script of ${said.length} characters' worth of attention. ` +
        'Every word arrives by itself, is kept on every device that sees it, and stays if you stop me:\n\n' +
        Array.from({ length: 12 }, (_, n) => `${n + 1}. word number ${n + 1}`).join('\n'),
    ),
  };
}

function plan({ prompt }: Turn): Script {
  return {
    steps: [
      { type: 'reasoning', text: 'The person wants a plan. ' },
      { type: 'wait', ms: 4 * WORD_MS },
      { type: 'reasoning', text: 'Three steps are enough.' },
      { type: 'tool_call', part_id: 'calendar', title: 'Look at the calendar', state: 'in_progress' },
      { type: 'wait', ms: 10 * WORD_MS },
      {
        type: 'tool_call',
        part_id: 'calendar',
        state: 'completed',
        output: { free: ['Tuesday', 'Thursday'] },
      },
      ...speak(
        `A plan for “${prompt.content.replace(/@plan/g, '').trim()}”:\n\n- [x] read it\n- [ ] do it\n- [ ] tell the others\n`,
      ),
    ],
  };
}

/** The agent whose name the prompt has; the first of the two. */
export const agent: Agent = scriptedAgent((turn) =>
  /@plan\b/.test(turn.prompt.content) ? plan(turn) : echo(turn),
);
