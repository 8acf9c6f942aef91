import fc from 'fast-check';

// That a property fails is all that is asked: to shrink the counterexample takes longer than to find it.
fc.configureGlobal({ endOnFailure: true });
