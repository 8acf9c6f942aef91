export { type AcpAgentOptions, acpAgent, type PermissionRequest } from './acp-agent.js';
export type { AgentCommand } from './agent-process.js';
