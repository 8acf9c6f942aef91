import { type Chat, openChat } from '@chatdoc/schema';
import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { runs } from '../../../tools/amounts.js';
import { chatScripts, createScriptEnvironment, writeChat } from '../../chat-testkit/src/index.js';
import { exportChat } from '../src/export/export-chat.js';
import { importPlans } from './helpers/documents.js';
import { expectPlan, readFixture } from './helpers/plans.js';

const DATE = '2026-11-21T12:00:00.000Z';
/** As permissive as a renderer can be: HTML passes, every link is taken. */
const renderer = new MarkdownIt({ html: true, linkify: false });
renderer.validateLink = () => true;

type Token = ReturnType<typeof renderer.parse>[number];

function createChat(): Chat {
  return openChat(new Y.Doc(), { environment: createScriptEnvironment(1, 1000) });
}

/** A chat of one message. */
function say(content: string, sender_id = 'ada', name?: string): Chat {
  const chat = createChat();
  const { thread_id } = chat.createThread({
    created_by: 'ada',
    created_at: DATE,
    ...(name === undefined ? {} : { name }),
  });
  chat.send({ thread_id, sender_id, content, date: DATE });
  chat.send({ thread_id, sender_id: 'grace', content: 'after [Ada] it', date: DATE });
  return chat;
}

function parse(text: string): readonly Token[] {
  return renderer.parse(text, {}).flatMap((token) => [token, ...(token.children ?? [])]);
}

/** Headings, quotes and senders at the top are those of the chat; nothing is HTML, nothing runs code. */
function expectSafe(chat: Chat, quotes?: number): void {
  const text = exportChat(chat, 'markdown');
  const tokens = parse(text);
  expect(tokens.filter(({ type }) => type.startsWith('html_')).map(({ content }) => content)).toEqual([]);
  const targets = tokens.flatMap(({ attrs }) =>
    (attrs ?? []).flatMap(([name, value]) => (name === 'href' || name === 'src' ? [String(value)] : [])),
  );
  expect(targets.filter((target) => /^\s*(?:javascript|vbscript):/i.test(target))).toEqual([]);
  const top = renderer.parse(text, {}).filter(({ level, nesting }) => level === 0 && nesting >= 0);
  const blocks = top.map(({ type }) => type).filter((type) => type !== 'inline');
  expect(blocks.filter((type) => !BLOCKS.includes(type))).toEqual([]);
  expect(blocks.filter((type) => type === 'heading_open')).toHaveLength(chat.threads().length);
  if (quotes !== undefined) expect(blocks.filter((type) => type === 'blockquote_open')).toHaveLength(quotes);
  expect(text).not.toMatch(STRAY);
}

// Controls, marks of direction, halves of a pair.
const STRAY =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const BLOCKS = ['heading_open', 'paragraph_open', 'blockquote_open', 'bullet_list_open'];

/** Pieces of which what somebody writes can break out of its place. */
const PIECES = [
  ...[
    '```',
    '````',
    '~~~',
    '`',
    '\n',
    '\n\n',
    '    ',
    '\t',
    '- ',
    '1. ',
    '> ',
    '# ',
    '---\n',
    '===\n',
    '\r',
    '|a|b|\n|-|-|\n',
  ],
  ...[
    '<script>',
    '</div>',
    '<!--',
    '-->',
    '<b x="',
    '<?php',
    '<![CDATA[',
    '<a\n href=x>',
    '\\',
    '&lt;',
    '&#60;',
    '&',
  ],
  ...[
    '[x](javascript:alert(1))',
    '[x](\njavascript\\:alert)',
    '[Ada]: javascript:alert(1)\n',
    '[Ada]:\nx',
    '![](x)',
    '*',
    '_',
  ],
  ...[
    '[x](<javascript:a>)',
    'java&#115;cript:a',
    '<javascript:alert(1)>',
    '\u0000',
    '\u202e',
    '\ud83d',
    'word',
    ' ',
    '"',
    "'",
  ],
];

describe('EX exports to markdown', () => {
  it('[EX15] threads are headings, messages have sender and time, the rest is one line each', () => {
    const chat = createChat();
    const { thread_id } = chat.createThread({
      created_by: 'ada',
      created_at: DATE,
      name: 'Plan *A*',
      pin: true,
    });
    const prompt = chat.send({
      thread_id,
      sender_id: 'ada',
      content: 'Go!\n\n# not a heading',
      date: DATE,
      expects: 'answer',
    });
    const writer = chat.openAttempt({
      prompt_id: prompt.message_id,
      sender_id: 'bot_1',
      runner_id: 'r',
      date: DATE,
    });
    writer.addPart({ kind: 'reasoning', text: 'hidden' });
    writer.addPart({ kind: 'tool_call', title: 'ls\n-la', state: 'completed', output: 'long\noutput' });
    writer.addPart({ kind: 'file', title: 'a`b`.txt', data: { type: 'file', value: 'a' } });
    writer.addPart({ kind: 'text', text: 'Done.' });
    writer.finish({ finish_reason: 'stopped' });
    chat.send({ thread_id, sender_id: 'ada', content: 'gone', date: '2026-11-21T12:01:00.000Z' });
    const [, answer, last] = chat.messageIds(thread_id);
    chat.delete({ message_id: last ?? '', author_id: 'ada', date: DATE });
    chat.send({ thread_id, sender_id: 'ada', content: 're', date: DATE, reply_to_message_id: answer ?? '' });
    chat.createThread({ created_by: 'ada', created_at: DATE, forked_from: { thread_id } });
    const blocks = [
      '# Plan \\*A\\*',
      '*4 messages, begun 2026-11-21 12:00:00 UTC by ada, pinned*',
      '**ada** 2026-11-21 12:00:00 UTC',
      '> Go!\n>\n> # not a heading',
      '**bot\\_1** 2026-11-21 12:00:00 UTC, *stopped*',
      '> Done.',
      '- tool call: ls -la (completed)\n- attachment: a\\`b\\`.txt',
      '**ada** 2026-11-21 12:01:00 UTC, *deleted*',
      '**ada** 2026-11-21 12:00:00 UTC, in reply to bot\\_1, 2026-11-21 12:00:00 UTC',
      '> re',
      '# Untitled',
      '*0 messages, begun 2026-11-21 12:00:00 UTC by ada, forked from Plan \\*A\\**',
    ];
    expect(exportChat(chat, 'markdown')).toBe(`${blocks.join('\n\n')}\n`);
    expectSafe(chat, 3);
    expect(exportChat(createChat(), 'markdown')).toBe('*No messages.*\n');
  });

  it('[EX15] names of an old file, mentions as text, and messages without a date', () => {
    const text = exportChat(importPlans(expectPlan(readFixture('jupyter-2025.chat'))), 'markdown');
    expect(text).toContain('**Anonymous Moon** 2025-10-09 08:53:20 UTC');
    const mention =
      'hi <span class="user-mention" account-id=11111111-1111-4111-8111-111111111111 >@Ada</span>!';
    expect(exportChat(say(mention), 'markdown')).toContain('> hi @Ada!\n');
    const chat = createChat();
    const { thread_id } = chat.createThread({
      created_by: '__unknown__',
      created_at: '1970-01-01T00:00:00.000Z',
    });
    chat.send({ thread_id, sender_id: '__unknown__', content: 'old', date: '1970-01-01T00:00:00.000Z' });
    expect(exportChat(chat, 'markdown')).toBe(
      '# old\n\n*1 message, begun undated*\n\n**unknown** undated\n\n> old\n',
    );
  });

  it('[EX16] code stands in a fence longer than any inside, also where it has no end', () => {
    const content = '~~~js\n```\nlet a = "<b>" && c;\n````\n~~~\nthen\n```\nno end';
    const text = exportChat(say(content), 'markdown');
    expect(text).toContain(
      '>\n> `````js\n> ```\n> let a = "<b>" && c;\n> ````\n> `````\n>\n> then\n>\n> ```\n> no end\n> ```\n',
    );
    const code = parse(text)
      .filter(({ type }) => type === 'fence')
      .map((token) => token.content);
    expect(code).toEqual(['```\nlet a = "<b>" && c;\n````\n', 'no end\n']);
  });

  it('[EX16] markup shows, HTML does not, and a < b stays as it is', () => {
    const text = exportChat(say('**bold** a < b && c <b>x</b> &amp; [y](https://example.org)'), 'markdown');
    expect(text).toContain('> **bold** a < b && c &lt;b>x&lt;/b> &amp;amp; [y](https://example.org)');
  });

  it('[EX16] nothing that somebody writes leaves its place', () => {
    const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((list) => list.join(''));
    fc.assert(
      fc.property(pieces, fc.constantFrom(...PIECES), (content, name) => {
        const chat = say(content, `a${name}`, `${name}${content}`);
        expectSafe(chat);
        const words = parse(exportChat(chat, 'markdown'))
          .filter(({ type }) => type === 'text')
          .map((token) => token.content);
        expect(words).toContain('after [Ada] it');
      }),
      runs(300),
    );
  });

  it('[EX15] [EX16] whole chats', () => {
    fc.assert(
      fc.property(chatScripts(), (script) => expectSafe(writeChat(script))),
      runs(40),
    );
  });
});
