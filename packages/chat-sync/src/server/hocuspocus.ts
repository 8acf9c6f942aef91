export {
  GateExtension,
  type GateExtensionOptions,
  gateExtension,
} from './gate-extension.js';
export {
  decodeRefusal,
  type HocuspocusRefusalCode,
  type Refusal,
  type RefusalSource,
  watchRefusals,
} from './refusal.js';
