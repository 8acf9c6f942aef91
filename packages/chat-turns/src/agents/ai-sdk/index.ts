export { type AiSdkAgentOptions, aiSdkAgent, writeConversation } from './ai-sdk-agent.js';
