import type { Chat, Purpose, Thread, ThreadConfigFields } from '@chatdoc/schema';

/** Whose thread it is, with which provider, for what. Chat and run of one family are two slots. */
export interface SlotOf<P extends Purpose> {
  readonly root_id: string;
  readonly owner_id: string;
  readonly provider: string;
  readonly purpose: P;
}

/** A thread whose purpose the compiler knows: a session of a run cannot be given to a chat. */
export interface ThreadHandle<P extends Purpose> {
  readonly thread_id: string;
  readonly purpose: P;
}

/** Settings of a new thread. A session is none: it belongs to the thread that made it. */
export type NewThreadFields = Omit<ThreadConfigFields, 'session'> & { readonly created_by: string };

/** The active thread of a slot, made if there is none: two replicas that make it offline make the same. */
export function getOrCreateThread<P extends Purpose>(
  chat: Chat,
  slot: SlotOf<P>,
  fields: NewThreadFields,
): ThreadHandle<P> & { /** Whether this call has made it. */ readonly created: boolean } {
  const active = chat.activeThread(slot);
  if (active !== undefined) return { thread_id: active, purpose: slot.purpose, created: false };
  return { ...createNumbered(chat, slot, 1, fields), created: true };
}

/** Exactly one in every merged state of a slot that has threads. */
export function activeThread<P extends Purpose>(chat: Chat, slot: SlotOf<P>): ThreadHandle<P> | undefined {
  const active = chat.activeThread(slot);
  return active === undefined ? undefined : { thread_id: active, purpose: slot.purpose };
}

/** Makes the next thread of a slot the active one. The old one stays, and can be read and activated. */
export function clearThread<P extends Purpose>(
  chat: Chat,
  slot: SlotOf<P>,
  fields: NewThreadFields,
): ThreadHandle<P> {
  const thread = createNumbered(chat, slot, lastNumber(chat, slot) + 1, fields);
  chat.activate({ thread_id: thread.thread_id });
  return thread;
}

/** Another thread of the slot, which does not become the active one unless nobody activated any. */
export function addThread<P extends Purpose>(
  chat: Chat,
  slot: SlotOf<P>,
  fields: NewThreadFields,
): ThreadHandle<P> {
  const active = chat.activeThread(slot);
  const thread = createNumbered(chat, slot, lastNumber(chat, slot) + 1, fields);
  if (active !== undefined && chat.activeThread(slot) !== active) chat.activate({ thread_id: active });
  return thread;
}

/** A thread of a slot, with what lists of threads show of it. */
export type SlotThread = Thread & {
  readonly is_active: boolean;
  /** Of its last message in order; null without one. */
  readonly last_message_at: string | null;
};

/** Threads of a slot, oldest number first. Costs O(threads), and the order of each thread of the slot. */
export function listSlot(
  chat: Pick<Chat, 'activeThread' | 'message' | 'messageIds' | 'threads'>,
  slot: SlotOf<Purpose>,
): readonly SlotThread[] {
  const own = chat.threads().filter((thread) => thread.purpose === slot.purpose && isIn(thread, slot));
  own.sort((a, b) => (a.slot?.number ?? 0) - (b.slot?.number ?? 0));
  const active = chat.activeThread(slot);
  return own.map((thread) => {
    const last = chat.messageIds(thread.thread_id).at(-1);
    const last_message_at = (last === undefined ? undefined : chat.message(last)?.date) ?? null;
    return Object.freeze({ ...thread, is_active: thread.thread_id === active, last_message_at });
  });
}

/** The handle of any thread, by its own purpose. */
export function handleOf(thread: Thread): ThreadHandle<Purpose> {
  return { thread_id: thread.thread_id, purpose: thread.purpose };
}

function isIn({ slot }: Thread, { root_id, owner_id, provider }: SlotOf<Purpose>): boolean {
  return slot?.root_id === root_id && slot.owner_id === owner_id && slot.provider === provider;
}

function lastNumber(chat: Chat, slot: SlotOf<Purpose>): number {
  return listSlot(chat, slot).at(-1)?.slot?.number ?? 0;
}

function createNumbered<P extends Purpose>(
  chat: Chat,
  slot: SlotOf<P>,
  number: number,
  fields: NewThreadFields,
): ThreadHandle<P> {
  const { root_id, owner_id, provider, purpose } = slot;
  // A caller's object may hold more than its type says.
  const { session: _, ...settings } = fields as ThreadConfigFields & { readonly created_by: string };
  const { thread_id } = chat.createThread({
    ...settings,
    purpose,
    slot: { root_id, owner_id, provider, number },
  });
  return { thread_id, purpose };
}
