export { type AiSdkAgentOptions, aiSdkAgent, type ClientToolCall } from './ai-sdk-agent.js';
export { writeConversation } from './model-messages.js';
