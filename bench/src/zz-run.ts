import { Fixtures } from './fixtures.js';
import { benchTurns } from './zz-turns.js';
console.log((await benchTurns(new Fixtures([1000]), 25)).map((f) => `${f.work} ${f.value.toFixed(2)}`).join('\n'));
