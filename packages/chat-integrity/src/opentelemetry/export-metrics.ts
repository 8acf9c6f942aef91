import type { Meter, ObservableGauge } from '@opentelemetry/api';
import { COUNTERS } from '../counters.js';
import { RULES } from '../rules/index.js';
import type { Watcher } from '../watch.js';

/**
 * The counters of a watcher as gauges of an OpenTelemetry meter, read when the meter collects. `attributes`
 * distinguish documents. Returns an unsubscribe function.
 */
export function exportMetrics(
  watcher: Watcher,
  meter: Meter,
  attributes: Readonly<Record<string, string>> = {},
): () => void {
  const gauges = new Map<string, ObservableGauge>();
  for (const name of new Set(Object.values(COUNTERS))) {
    gauges.set(name, meter.createObservableGauge(name, { description: describe(name) }));
  }
  const all = [...gauges.values()];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const [name, count] of Object.entries(watcher.counters())) {
      const gauge = gauges.get(name);
      if (gauge !== undefined) result.observe(gauge, count, attributes);
    }
  };
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

function describe(name: string): string {
  const rules = RULES.filter(({ id }) => COUNTERS[id] === name).map((rule) => `${rule.id} ${rule.name}`);
  return rules.length === 0 ? 'IN28 abandoned_attempt' : rules.join(', ');
}
