export {
  type Agent,
  AgentError,
  TOOL_ENDS,
  type Turn,
  type TurnErrorCode,
  type TurnEvent,
} from './agents/agent.js';
export type { FunctionTool } from './agents/function-tool.js';
export { type Script, type ScriptStep, scriptedAgent } from './agents/scripted-agent.js';
export {
  type AgentBinding,
  type EngineEvent,
  type EngineOptions,
  LEASE_MS,
  type ServeOptions,
  type Service,
  TurnEngine,
} from './engine/engine.js';
export type { Liveness } from './engine/liveness.js';
export { FLUSH_LENGTH, FLUSH_MS } from './engine/part-stream.js';
export { findHolder, type Holder, listWaiting, NEXT_KEY } from './engine/queue.js';
export { narrowChat, type TurnChat } from './engine/turn-chat.js';
export {
  TURN_COUNTERS,
  TURN_GAUGES,
  type TurnCounterName,
  TurnCounters,
  type TurnGaugeName,
} from './engine/turn-counters.js';
export {
  type EventCounts,
  TURN_LIMITS,
  type TurnLimits,
  type TurnOutcome,
  type TurnResult,
} from './engine/turn-run.js';
export { observeRequests, type RequestEvent } from './request-events.js';
export {
  type BusyStrategy,
  CONTINUE_KEY,
  continueTurn,
  type NewPrompt,
  type RequestResult,
  type Resubmission,
  type ResubmitResult,
  resubmitPrompt,
  retryTurn,
  type SubmitResult,
  sendNow,
  stopTurn,
  submitPrompt,
} from './requests.js';
export {
  type Cascade,
  type CascadeStatus,
  type CascadeStep,
  type CascadeStepState,
  type CascadeStepStatus,
  listCascades,
  type NewCascade,
  resumeCascades,
  startCascade,
} from './runs/cascade.js';
export {
  type Family,
  type FamilyEntry,
  familySummary,
  PREVIEW_LENGTH,
  promptDetailsTool,
  writeFamilySummary,
} from './runs/family.js';
export {
  fillRecord,
  type Resolution,
  type RunRecord,
  type RunRequest,
  type RunScopes,
  resolveRun,
  VALUE_SCOPES,
  type ValueScope,
} from './runs/resolve.js';
export { RUN_PART, type RunInput, readRunRecord } from './runs/run-record.js';
export {
  addInstance,
  listFailedStarts,
  listRuns,
  type NewRun,
  type RunOutput,
  replayRun,
  type StartResult,
  startRun,
} from './runs/runs.js';
export type { PromptMessage, PromptRole, Template } from './runs/template.js';
export {
  digestMessages,
  readSession,
  type SaveResult,
  type Session,
  type SessionIds,
  saveSession,
} from './sessions.js';
export {
  activeThread,
  addThread,
  clearThread,
  getOrCreateThread,
  handleOf,
  listSlot,
  type NewThreadFields,
  type SlotOf,
  type SlotThread,
  type ThreadHandle,
} from './slots.js';
