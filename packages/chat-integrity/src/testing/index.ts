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
export {
  ADDING_UPDATES,
  brokenDates,
  brokenUlids,
  type ChatScript,
  COCALC_GENERATIONS,
  type CocalcGeneration,
  chatScripts,
  closeUnderNeeds,
  cocalcFiles,
  createScriptEnvironment,
  dates,
  forgedDates,
  forgedUlids,
  forgeUpdate,
  HARMING_UPDATES,
  HOSTILE_KINDS,
  type HostileKind,
  type HostileLine,
  type HostileRecord,
  type HostileTargets,
  type HostileUpdate,
  hostileRecords,
  hostileUpdates,
  JUPYTER_SHAPES,
  type JupyterShape,
  jupyterFiles,
  type LegacyFile,
  type LegacyRow,
  type LineFate,
  NO_TARGETS,
  newerDocuments,
  notUlids,
  olderDocuments,
  RESERVED_NAMES,
  relationalFiles,
  reservedNames,
  reservedObjects,
  SCRIPT_START,
  type ScriptCall,
  TABLE_SHAPES,
  type TableShape,
  taskFiles,
  type UpdateKind,
  ulids,
  type VersionedDocument,
  writeChat,
  writeDeepLine,
  writeHostileRecord,
  writeLongLine,
} from './arbitraries/index.js';
export { chatApplication } from './chat/chat-application.js';
export { CHAT_MARKS, FRAME_MARKS } from './chat/chat-marks.js';
export type { ChatState } from './chat/chat-state.js';
export { Disk } from './disk.js';
export { type ExhaustiveOptions, type ExhaustiveResult, exhaustPairs, exhaustTriples } from './exhaustive.js';
export { createFramedProvider, framedProvider } from './framed-provider.js';
export { GUARANTEES, type Guarantee } from './guarantees.js';
export { LAWS, type Law, LawBroken } from './law.js';
export { compareReports, runOracle } from './oracle/oracle.js';
export { extractTexts, headOf, type LaneText, type LineHead } from './oracle/oracle-lines.js';
export type { Everything, OracleResult, Probe, SlotKey } from './oracle/oracle-types.js';
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
export { describeStep, FAULTS, type Fault, type Schedule, type Step } from './schedule.js';
export { type Profile, REPLICAS, scheduleArbitrary } from './schedule-arbitrary.js';
export type { Seat } from './seat.js';
export { createNumbers, seededEnvironment } from './seeded-environment.js';
export type { RunResult, SimulationOptions } from './simulation.js';
export { frameStorage, type OpenStorage, type Storage } from './storage.js';
export type { Subject } from './subject.js';
export { syncProvider } from './sync-provider.js';
export { Tally } from './tally.js';
export { describeTrace, type KeptTrace, keepTrace, readTraces, type Trace } from './trace.js';
