export {
  type AgentEvent,
  type AgentOptions,
  type AgentReport,
  type AgentResult,
  type AgentUnderTest,
  checkAgent,
} from './agent-conformance.js';
export type {
  Application,
  Command,
  Outcome,
  Result,
  Stranger,
  StrangerKind,
} from './application.js';
export { chatApplication } from './chat/chat-application.js';
export type { ChatState } from './chat/chat-state.js';
export { Disk } from './disk.js';
export { type ChatScript, chatScripts, writeChat } from './documents/chat-documents.js';
export { type ExhaustiveOptions, type ExhaustiveResult, exhaustPairs, exhaustTriples } from './exhaustive.js';
export { createFramedProvider, framedProvider } from './framed-provider.js';
export { GUARANTEES, type Guarantee } from './guarantees.js';
export { LAWS, type Law, LawBroken } from './law.js';
export { Pick } from './pick.js';
export {
  type Broken,
  type GuaranteeReport,
  type GuaranteeResult,
  type ProveOptions,
  proveGuarantees,
  replay,
} from './prove.js';
export type { Connection, Port, Provider } from './provider.js';
export { runSchedule, runSettled } from './run-schedule.js';
export { FAULTS, type Fault, type Schedule, type Step } from './schedule.js';
export { type Profile, REPLICAS, scheduleArbitrary } from './schedule-arbitrary.js';
export type { Seat } from './seat.js';
export { seededEnvironment } from './seeded-environment.js';
export type { RunResult, SimulationOptions } from './simulation.js';
export { frameStorage, type OpenStorage, type Storage } from './storage.js';
export type { Subject } from './subject.js';
export { syncProvider } from './sync-provider.js';
export { Tally } from './tally.js';
export {
  describeTrace,
  type KeptTrace,
  keepTrace,
  readTraces,
  type Trace,
  type TraceFinding,
} from './trace.js';
