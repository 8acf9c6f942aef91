import type { Meter, Observable } from '@opentelemetry/api';
import { TURN_COUNTERS, TURN_GAUGES, type TurnCounters } from '../engine/turn-counters.js';

/**
 * Exports the counters of turns to an OpenTelemetry meter, as observable counters and gauges that are read when the
 * meter collects. `attributes` distinguish engines. Returns an unsubscribe function.
 */
export function exportTurnMetrics(
  counters: TurnCounters,
  meter: Meter,
  attributes: Readonly<Record<string, string>> = {},
): () => void {
  const instruments = new Map<string, Observable>();
  for (const [name, description] of Object.entries(TURN_COUNTERS)) {
    instruments.set(name, meter.createObservableCounter(name, { description }));
  }
  for (const [name, description] of Object.entries(TURN_GAUGES)) {
    instruments.set(name, meter.createObservableGauge(name, { description }));
  }
  const all = [...instruments.values()];
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const [name, value] of Object.entries({ ...counters.counters(), ...counters.gauges() })) {
      const instrument = instruments.get(name);
      if (instrument !== undefined) result.observe(instrument, value, attributes);
    }
  };
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}
