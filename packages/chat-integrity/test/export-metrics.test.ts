import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { COUNTERS, watch } from '../src/index.js';
import { exportMetrics } from '../src/opentelemetry/index.js';
import { header, idAt, jsonl, message, openWith } from './documents.js';

describe('exportMetrics', () => {
  it('[WA6] shows the counters of now to a Prometheus that asks, until it is ended', async () => {
    const exporter = new PrometheusExporter({ host: '127.0.0.1', port: 0, preventServerStart: true });
    const provider = new MeterProvider({ readers: [exporter] });
    await exporter.startServer();
    // The port that the system gave.
    const server = exporter['_server'] as { address(): { readonly port: number } };
    const url = `http://127.0.0.1:${server.address().port}/metrics`;
    const scrape = async (): Promise<string> => (await fetch(url)).text();
    try {
      const { chat } = openWith();
      const end = exportMetrics(watch(chat), provider.getMeter('chat'), { document: 'd1' });
      expect(await scrape()).toMatch(/^chat_integrity_orphan_messages\{document="d1".*\} 0$/m);
      chat.importJSONL(jsonl(header('b'), [message(idAt(21), 21, { thread_id: idAt(20) })]));
      const text = await scrape();
      expect(text).toMatch(/^chat_integrity_orphan_messages\{document="d1".*\} 1$/m);
      for (const name of Object.values(COUNTERS)) expect(text).toContain(`${name.replaceAll('.', '_')}{`);
      end();
      chat.importJSONL(jsonl(header('c'), [message(idAt(22), 22, { thread_id: idAt(20) })]));
      expect(await scrape()).toMatch(/^chat_integrity_orphan_messages\{document="d1".*\} 1$/m);
    } finally {
      await provider.shutdown();
    }
  });
});
