// Evaluated for every file, its import once for all of them.
import './wall-clock.js';
