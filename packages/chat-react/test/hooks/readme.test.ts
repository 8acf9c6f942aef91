import { readFileSync } from 'node:fs';
import { act, createElement } from 'react';
import { describe, expect, it } from 'vitest';
import { chat, Page, thread_id } from '../programs/page.js';
import { collectComplaints, render } from '../render.js';
import { GRACE } from '../world.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the README', () => {
  it('[HK15] its program is this one, and runs', async () => {
    expect(read('../../README.md')).toContain(`\`\`\`tsx\n${read('../programs/page.tsx')}\`\`\``);
    const complaints = await collectComplaints(() => {
      const page = render(createElement(Page));
      act(() => void chat.send({ thread_id, sender_id: GRACE, content: 'Ship it?' }));
      expect(page.texts('h2, p, button')).toEqual(['Roadmap (1)', 'Ship it?', 'Send']);
      const [button] = page.container.querySelectorAll('button');
      document.body.append(page.container);
      act(() => button?.click());
      expect(chat.state(thread_id).state).toBe('queued');
      page.unmount();
      page.container.remove();
    });
    expect(complaints).toEqual([]);
  });
});
