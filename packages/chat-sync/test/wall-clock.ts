/**
 * A `Date.now` that a test can set. lib0 keeps a reference to the function as it is loaded, so that this has to come
 * before: it is a setup file of the project.
 */

const real = Date.now;

/** Undefined: the time of the machine. */
export const wall: { time: number | undefined } = { time: undefined };

Date.now = () => wall.time ?? real();
