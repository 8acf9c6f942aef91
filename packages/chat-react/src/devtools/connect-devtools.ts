import type { Chat, ChatReader, ImportResult } from '@chatdoc/schema';
import { ChatStore } from '../store/chat-store.js';
import { presentStamp } from '../store/present-stamp.js';

/** The part of the Redux DevTools extension that this needs. */
export interface DevToolsExtension {
  connect(options: {
    readonly name: string;
    readonly features: Readonly<Record<string, unknown>>;
  }): DevToolsConnection;
}

export interface DevToolsConnection {
  init(state: unknown): void;
  send(action: unknown, state: unknown): void;
  subscribe(listener: (message: DevToolsMessage) => void): (() => void) | undefined;
}

export interface DevToolsMessage {
  readonly type: string;
  readonly state?: string | undefined;
  readonly payload?: { readonly type?: string } | undefined;
}

/** One change as it is listed. */
export interface LoggedAction {
  readonly type: string;
  readonly stamp: string;
  readonly messages: readonly string[];
  readonly threads: readonly string[];
}

export interface DevToolsOptions {
  /** Defaults to `chatdoc`. */
  readonly name?: string;
  /** Defaults to that of the browser. */
  readonly extension?: DevToolsExtension | undefined;
  /** Called after a jump, to render again what `reader()` has then. */
  readonly onJump?: () => void;
}

export interface DevToolsHandle {
  /** The chat, or its past after a jump. */
  reader(): ChatReader;
  /** Document and list of changes, as text. */
  exportLog(): string;
  /** Brings what `exportLog` has written into this document: a union, as every import. */
  importLog(text: string): ImportResult;
  close(): void;
}

/**
 * Shows each change of a chat in Redux DevTools, without a store: a jump to an action reads `chat.at` its stamp. Without
 * the extension nothing is shown, and the log is kept all the same.
 */
export function connectDevTools(
  chat: Chat,
  { name = 'chatdoc', extension = findExtension(), onJump }: DevToolsOptions = {},
): DevToolsHandle {
  const connection = extension?.connect({ name, features: { jump: true, export: false, import: false } });
  const log: LoggedAction[] = [];
  let past: ChatReader | undefined;
  connection?.init({ stamp: presentStamp(), changes: 0 });
  const add = (action: LoggedAction): void => {
    log.push(action);
    connection?.send(action, { stamp: action.stamp, changes: log.length });
  };
  const stop = ChatStore.of(chat).onChange(({ messages, threads, deltas, local }) => {
    const type = `${local ? 'local' : 'remote'}/${deltas.length > 0 ? 'text' : 'entries'}`;
    add({ type, stamp: presentStamp(), messages, threads });
  });
  const leave = connection?.subscribe((message) => {
    if (message.type !== 'DISPATCH' || !JUMPS.has(message.payload?.type ?? '')) return;
    const stamp = readStamp(message.state);
    past = stamp === undefined || stamp >= (log.at(-1)?.stamp ?? '') ? undefined : chat.at(stamp);
    onJump?.();
  });
  return {
    reader: () => past ?? chat,
    exportLog: () => JSON.stringify({ version: 1, actions: log, jsonl: chat.toJSONL() }),
    importLog: (text) => {
      const { actions = [], jsonl } = JSON.parse(text) as { actions?: LoggedAction[]; jsonl: string };
      for (const action of actions) add(action);
      return chat.importJSONL(jsonl);
    },
    close: () => {
      stop();
      leave?.();
    },
  };
}

const JUMPS: ReadonlySet<string> = new Set(['JUMP_TO_STATE', 'JUMP_TO_ACTION']);

/** Undefined for what is not a state of ours. */
function readStamp(state: string | undefined): string | undefined {
  try {
    const { stamp } = JSON.parse(state ?? '') as { readonly stamp?: unknown };
    return typeof stamp === 'string' ? stamp : undefined;
  } catch {
    return undefined;
  }
}

function findExtension(): DevToolsExtension | undefined {
  return (globalThis as { __REDUX_DEVTOOLS_EXTENSION__?: DevToolsExtension }).__REDUX_DEVTOOLS_EXTENSION__;
}
