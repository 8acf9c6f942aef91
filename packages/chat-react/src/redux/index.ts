export { type AttachableStore, type AttachOptions, attachChat } from './attach.js';
export {
  type DisplayMessage,
  selectDisplayMessages,
  selectInstance,
  selectMergedVariables,
  selectMessages,
  selectState,
} from './selectors.js';
export {
  type ChatDocRoot,
  type ChatDocState,
  chatdocReducer,
  type PromptInstance,
} from './state.js';
export {
  type Completion,
  completeExecution,
  type Execution,
  executeMessage,
  fetchScopedVariables,
  type NewInstance,
  type ScopedVariables,
  startPromptInstance,
} from './thunks.js';
export { type PromptInstanceHandle, usePromptInstance } from './use-prompt-instance.js';
