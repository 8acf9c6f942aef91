export { exportTurnMetrics } from './export-metrics.js';
