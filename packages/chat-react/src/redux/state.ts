import { createSlice, type PayloadAction } from '@reduxjs/toolkit';

/** One instance of a prompt: a run thread. */
export interface PromptInstance {
  readonly instance_id: string;
  readonly thread_id: string;
  readonly prompt_id: string;
  /** Rises with each change of its thread. */
  readonly version: number;
}

/** Which moment of which chat is looked at. Never the records: those are in the chat. */
export interface ChatDocState {
  /** Names the attached chat; null while there is none. */
  readonly source: string | null;
  readonly instances: Readonly<Record<string, PromptInstance>>;
  /** Whose variables are merged. */
  readonly scopes: { readonly org?: string; readonly project?: string; readonly user?: string };
  readonly version: number;
  /** The moment that selectors read. */
  readonly stamp: string | null;
}

export type VariableOwner = keyof ChatDocState['scopes'];

/** The state of a store that has the reducer as `chatdoc`. */
export interface ChatDocRoot {
  readonly chatdoc: ChatDocState;
}

/** A change of the document, as DevTools show it. */
export interface ChangedPayload {
  readonly stamp: string;
  readonly messages: readonly string[];
  readonly threads: readonly string[];
}

const initialState: ChatDocState = { source: null, instances: {}, scopes: {}, version: 0, stamp: null };

const slice = createSlice({
  name: 'chatdoc',
  initialState,
  reducers: {
    attached: (state, { payload }: PayloadAction<{ source: string; stamp: string }>) => ({
      ...state,
      ...payload,
    }),
    detached: () => initialState,
    started: (state, { payload }: PayloadAction<Omit<PromptInstance, 'version'>>) => ({
      ...state,
      instances: { ...state.instances, [payload.instance_id]: { ...payload, version: 0 } },
    }),
    scoped: (state, { payload }: PayloadAction<{ scope: VariableOwner; scope_id: string }>) => ({
      ...state,
      scopes: { ...state.scopes, [payload.scope]: payload.scope_id },
    }),
    changed: (state, { payload: { stamp, threads } }: PayloadAction<ChangedPayload>) => ({
      ...state,
      stamp,
      version: state.version + 1,
      instances: raise(state.instances, threads),
    }),
  },
});

function raise(
  instances: ChatDocState['instances'],
  threads: readonly string[],
): Record<string, PromptInstance> {
  const changed = Object.values(instances).filter(({ thread_id }) => threads.includes(thread_id));
  const raised = changed.map((one) => [one.instance_id, { ...one, version: one.version + 1 }]);
  return { ...instances, ...Object.fromEntries(raised) };
}

export const { attached, detached, started, scoped, changed } = slice.actions;

/** To be mounted as `chatdoc`. A few hundred bytes of state, however long the chats are. */
export const chatdocReducer: typeof slice.reducer = slice.reducer;
