import * as acp from '@agentclientprotocol/sdk';
import type { JsonObject } from '@chatdoc/schema';
import { isObject } from './acp-updates.js';

/** Of a later or earlier protocol: models were a setting of their own. */
const SET_MODEL = 'session/set_model';
const NOT_FOUND = -32601;

/**
 * Sets mode, model and other options of a session as the thread's `acp_config` has them: `mode`, `model`,
 * `reasoning` and `options` by id. What the agent does not offer, or has set already, is not sent. Returns a sentence
 * for each that it refused.
 */
export async function applySettings(
  agent: acp.ClientContext,
  sessionId: string,
  config: JsonObject | undefined,
  offered: { readonly modes?: unknown; readonly configOptions?: unknown; readonly models?: unknown },
): Promise<readonly string[]> {
  if (config === undefined) return [];
  const refused: string[] = [];
  const send = async (what: string, method: string, params: object): Promise<boolean> => {
    try {
      await agent.request(method, { sessionId, ...params });
      return true;
    } catch (error) {
      const isUnknown = error instanceof acp.RequestError && error.code === NOT_FOUND;
      if (!isUnknown) refused.push(`the agent refused the ${what} of the thread`);
      return false;
    }
  };
  const { setMode, setConfigOption } = acp.methods.agent.session;
  const options = readOptions(offered.configOptions);
  const mode = asText(config['mode']) ?? asText(config['sessionMode']);
  if (mode !== undefined) {
    const { current, ids } = readModes(offered.modes);
    if (ids.has(mode) && current !== mode) await send('mode', setMode, { modeId: mode });
    else if (!ids.has(mode) && !options.has('mode')) refused.push(`the agent has no mode ${mode}`);
  }
  const wanted = new Map<string, unknown>();
  for (const [name, key] of [
    ['model', 'model'],
    ['thought_level', 'reasoning'],
    ['mode', 'mode'],
  ] as const) {
    const option = options.get(name);
    if (option !== undefined && config[key] !== undefined) wanted.set(option.id, config[key]);
  }
  if (isObject(config['options']))
    for (const [id, value] of Object.entries(config['options'])) wanted.set(id, value);
  for (const option of new Set(options.values())) {
    const value = wanted.get(option.id);
    if (value === undefined || value === option.value) continue;
    const typed = typeof value === 'boolean' ? { type: 'boolean', value } : { value: String(value) };
    await send(`option ${option.id}`, setConfigOption, { configId: option.id, ...typed });
  }
  const model = asText(config['model']);
  const isCurrent = isObject(offered.models) && offered.models['currentModelId'] === model;
  if (model !== undefined && !options.has('model') && !isCurrent)
    await send('model', SET_MODEL, { modelId: model });
  return refused;
}

interface Option {
  readonly id: string;
  readonly value: unknown;
}

/** By id, and by category. */
function readOptions(offered: unknown): ReadonlyMap<string, Option> {
  const options = new Map<string, Option>();
  for (const option of Array.isArray(offered) ? (offered as unknown[]) : []) {
    if (!isObject(option) || typeof option['id'] !== 'string') continue;
    const { id, category, currentValue: value } = option;
    const found = { id, value };
    options.set(id, found);
    if (typeof category === 'string' && !options.has(category)) options.set(category, found);
  }
  return options;
}

function readModes(offered: unknown): { readonly current: unknown; readonly ids: ReadonlySet<unknown> } {
  const modes = isObject(offered) ? offered : {};
  const available = Array.isArray(modes['availableModes']) ? (modes['availableModes'] as unknown[]) : [];
  const ids = new Set(available.map((mode) => (isObject(mode) ? mode['id'] : undefined)));
  return { current: modes['currentModeId'], ids };
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
