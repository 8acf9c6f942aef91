export type { FunctionTool } from '../function-tool.js';
export { type ChatAgentOptions, openAiChatAgent } from './chat-agent.js';
export type { OpenAiEndpoint } from './http.js';
export { openAiResponsesAgent, type ResponsesAgentOptions } from './responses-agent.js';
