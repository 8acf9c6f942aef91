import { medianOf, pair, ratioOf } from '../measure/pair.js';
import { peerSubjects } from '../peers/all.js';
import { paint } from '../peers/peer.js';
import type { Plan } from '../plan.js';
import { figure, judge, type Measured, ratio } from '../report/figure.js';

const SIZE = 10_000;

/** From bytes to the list of threads and the 50 messages of one: the whole job, for every peer. */
export function benchPaint(plan: Plan): Measured {
  const size = plan.amount(SIZE);
  const subjects = peerSubjects(plan.fixtures, size, paint);
  const samples = pair(`first paint at ${size} messages`, plan.reps(9), subjects);
  const { chatdoc } = samples;
  const work = 'first paint';
  return {
    figures: [
      judge('paint_loro', size, ratioOf(chatdoc, samples['loro'])),
      judge('paint_nested', size, ratioOf(chatdoc, samples['nested'])),
      ratio(`${work} / Loro, a list a thread`, size, ratioOf(chatdoc, samples['loroLists'])),
      ratio(`${work} / TinyBase`, size, ratioOf(chatdoc, samples['tinybase'])),
      ratio(`${work} / JSON Lines`, size, ratioOf(chatdoc, samples['jsonLines'])),
      figure(work, size, medianOf(chatdoc ?? []), 'ms'),
    ],
  };
}
