import { createFramedProvider, frameStorage, proveGuarantees } from '@chatdoc/integrity/testing';
import { HastyBoard, MendedBoard } from './board.js';
import { boardApplication } from './board-application.js';

for (const Kind of [HastyBoard, MendedBoard]) {
  const application = boardApplication(Kind);
  const provider = createFramedProvider({ others: ['cards', 'titles', 'comments'] });
  const report = await proveGuarantees({ application, provider, storage: frameStorage, runs: 40, steps: 60 });
  console.log(`${Kind.name}\n\n${report.text}`);
}
