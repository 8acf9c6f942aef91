import fc from 'fast-check';

/** A node of a generated conversation, in the order of time. */
interface TreeNode {
  readonly id: string;
  /** Index of the node that it follows; -1 at a root. */
  readonly parent: number;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly second: number;
}

export interface Tree {
  readonly id: string;
  readonly title: string;
  readonly nodes: readonly TreeNode[];
}

/** Trees in which answers follow prompts, and prompts answers; each text is unique. */
export const TREE: fc.Arbitrary<Tree> = fc
  .record({
    id: fc.nat({ max: 999 }),
    picks: fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 14 }),
    isBranched: fc.boolean(),
  })
  .map(({ id, picks, isBranched }) => {
    const nodes: TreeNode[] = [];
    for (const [index, pick] of picks.entries()) {
      const last = index - 1;
      const parent = index === 0 ? -1 : isBranched && pick % 3 === 0 ? pick % index : last;
      const above = nodes[parent];
      const role = above?.role === 'user' ? 'assistant' : 'user';
      const text = `${role} ${index} of ${id}${pick % 5 === 0 ? ' \u{1f600} "quoted"\nand more' : ''}`;
      nodes.push({ id: `n${id}-${index}`, parent, role, text, second: index * 10 + (pick % 7) });
    }
    return { id: `c-${id}`, title: `Chat ${id}`, nodes };
  });

const START = Date.UTC(2026, 0, 1);

function iso({ second }: TreeNode): string {
  return new Date(START + second * 1000).toISOString();
}

function seconds({ second }: TreeNode): number {
  return START / 1000 + second;
}

function parentId(tree: Tree, node: TreeNode): string | null {
  return tree.nodes[node.parent]?.id ?? null;
}

interface Rendering {
  readonly bytes: Uint8Array;
  /** Rows by an independent count. */
  readonly rows: number;
}

type Render = (trees: readonly Tree[]) => Rendering;

function toBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function countNodes(trees: readonly Tree[]): number {
  return trees.reduce((sum, { nodes }) => sum + nodes.length, 0);
}

function renderChatgpt(trees: readonly Tree[]): Rendering {
  const conversations = trees.map((tree) => {
    const mapping: Record<string, unknown> = {
      root: { id: 'root', parent: null, children: [], message: null },
    };
    for (const node of tree.nodes) {
      mapping[node.id] = {
        id: node.id,
        parent: parentId(tree, node) ?? 'root',
        children: tree.nodes.filter(({ parent }) => tree.nodes[parent] === node).map(({ id }) => id),
        message: {
          id: node.id,
          author: { role: node.role, name: null, metadata: {} },
          create_time: seconds(node),
          content: { content_type: 'text', parts: [node.text] },
          status: 'finished_successfully',
          end_turn: node.role === 'assistant' ? true : null,
          weight: 1,
          metadata: node.role === 'assistant' ? { model_slug: 'gpt-example' } : {},
          recipient: 'all',
        },
      };
    }
    return {
      title: tree.title,
      create_time: START / 1000,
      update_time: START / 1000 + tree.nodes.length,
      mapping,
      current_node: tree.nodes.at(-1)?.id,
      conversation_id: tree.id,
      id: tree.id,
    };
  });
  return { bytes: toBytes(conversations), rows: countNodes(trees) + 2 * trees.length };
}

function renderClaudeAi(trees: readonly Tree[]): Rendering {
  const conversations = trees.map((tree) => ({
    uuid: tree.id,
    name: tree.title,
    created_at: new Date(START).toISOString(),
    updated_at: new Date(START + tree.nodes.length * 1000).toISOString(),
    account: { uuid: 'acc' },
    chat_messages: tree.nodes.map((node) => ({
      uuid: node.id,
      sender: node.role === 'user' ? 'human' : 'assistant',
      text: node.text,
      content: [{ type: 'text', text: node.text, citations: [] }],
      created_at: iso(node),
      attachments: [],
      files: [],
      parent_message_uuid: parentId(tree, node) ?? '00000000-0000-4000-8000-000000000000',
    })),
  }));
  return { bytes: toBytes(conversations), rows: countNodes(trees) + trees.length };
}

function renderOpenWebui(trees: readonly Tree[]): Rendering {
  const chats = trees.map((tree) => ({
    id: tree.id,
    user_id: 'user-1',
    title: tree.title,
    chat: {
      title: tree.title,
      models: ['llama'],
      history: {
        messages: Object.fromEntries(
          tree.nodes.map((node) => [
            node.id,
            {
              id: node.id,
              parentId: parentId(tree, node),
              childrenIds: [],
              role: node.role,
              content: node.text,
              timestamp: seconds(node),
              ...(node.role === 'assistant' ? { model: 'llama', done: true } : {}),
            },
          ]),
        ),
        currentId: tree.nodes.at(-1)?.id,
      },
      messages: [],
    },
    created_at: START / 1000,
    updated_at: START / 1000 + tree.nodes.length,
  }));
  return { bytes: toBytes(chats), rows: countNodes(trees) + trees.length };
}

function renderLibrechat(trees: readonly Tree[]): Rendering {
  const [tree] = trees as readonly [Tree];
  const conversation = {
    conversationId: tree.id,
    title: tree.title,
    exportAt: '14:30:12 GMT+0200',
    branches: true,
    recursive: false,
    messages: tree.nodes.map((node) => ({
      messageId: node.id,
      parentMessageId: parentId(tree, node) ?? '00000000-0000-0000-0000-000000000000',
      sender: node.role === 'user' ? 'User' : 'GPT',
      isCreatedByUser: node.role === 'user',
      text: node.text,
      createdAt: iso(node),
      error: false,
      unfinished: false,
    })),
  };
  return { bytes: toBytes(conversation), rows: tree.nodes.length + 1 };
}

function renderClaudeCode(trees: readonly Tree[]): Rendering {
  const lines = trees.flatMap((tree) => [
    ...tree.nodes.map((node) => ({
      parentUuid: parentId(tree, node),
      isSidechain: false,
      cwd: '/home/ada',
      sessionId: tree.id,
      version: '2.1.150',
      uuid: node.id,
      timestamp: iso(node),
      ...(node.role === 'user'
        ? { type: 'user', message: { role: 'user', content: node.text } }
        : {
            type: 'assistant',
            message: {
              id: `msg_${node.id}`,
              role: 'assistant',
              model: 'claude-example-1',
              content: [{ type: 'text', text: node.text }],
              stop_reason: 'end_turn',
              usage: { input_tokens: 1, output_tokens: 2 },
            },
          }),
    })),
    { type: 'ai-title', aiTitle: tree.title, sessionId: tree.id },
  ]);
  return {
    bytes: new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
    rows: countNodes(trees) + trees.length,
  };
}

function renderTable(trees: readonly Tree[]): Rendering {
  const conversations = trees.map(({ id, title }) => ({
    id,
    title,
    user_id: 'ada',
    created_at: new Date(START).toISOString(),
  }));
  const messages = trees.flatMap((tree) =>
    tree.nodes.map((node) => ({
      id: node.id,
      conversation_id: tree.id,
      role: node.role,
      content: node.text,
      created_at: iso(node),
    })),
  );
  return { bytes: toBytes({ conversations, messages }), rows: trees.length + countNodes(trees) };
}

/** Each format, by a writer that has nothing of the reader. `isSingle`: a file has one conversation. `isEmptyKnown`: a conversation without messages is of the format. */
export const RENDERINGS: readonly (readonly [
  format: string,
  render: Render,
  facts: { readonly isSingle?: boolean; readonly isEmptyKnown?: boolean },
])[] = [
  ['chatgpt', renderChatgpt, {}],
  ['claude-ai', renderClaudeAi, {}],
  ['open-webui', renderOpenWebui, {}],
  ['messages', renderTable, { isEmptyKnown: false }],
  ['librechat', renderLibrechat, { isSingle: true }],
  ['claude-code', renderClaudeCode, {}],
];
