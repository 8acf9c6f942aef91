export {
  type AgentEvent,
  type AgentOptions,
  type AgentReport,
  type AgentResult,
  type AgentUnderTest,
  checkAgent,
} from './agent-conformance.js';
export { chatApplication } from './chat/chat-application.js';
export type { ChatState } from './chat/chat-state.js';
export { type ChatScript, chatScripts, writeChat } from './documents/chat-documents.js';
export { type ExhaustiveOptions, type ExhaustiveResult, exhaustPairs, exhaustTriples } from './exhaustive.js';
export { GUARANTEES, type Guarantee } from './prove/guarantees.js';
export { type ProveOptions, proveGuarantees, replay } from './prove/prove.js';
export type { Broken, GuaranteeReport, GuaranteeResult } from './prove/report.js';
export {
  describeTrace,
  type KeptTrace,
  keepTrace,
  readTraces,
  type Trace,
  type TraceFinding,
} from './prove/trace.js';
export { Pick } from './schedule/pick.js';
export { FAULTS, type Fault, type Schedule, type Step } from './schedule/schedule.js';
export { type Profile, REPLICAS, scheduleArbitrary } from './schedule/schedule-arbitrary.js';
export { LAWS, type Law, LawBroken } from './simulation/law.js';
export { runSchedule, runSettled } from './simulation/run-schedule.js';
export { seededEnvironment } from './simulation/seeded-environment.js';
export type { RunResult, SimulationOptions } from './simulation/simulation.js';
export { Tally } from './simulation/tally.js';
export type {
  Application,
  Command,
  Outcome,
  Result,
  Stranger,
  StrangerKind,
} from './subject/application.js';
export { Disk } from './subject/disk.js';
export { createFramedProvider, framedProvider } from './subject/framed-provider.js';
export type { Connection, Port, Provider } from './subject/provider.js';
export type { Seat } from './subject/seat.js';
export { frameStorage, type OpenStorage, type Storage } from './subject/storage.js';
export type { Subject } from './subject/subject.js';
export { syncProvider } from './subject/sync-provider.js';
