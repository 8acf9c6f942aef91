import type { Json } from '@chatdoc/schema';
import { isJsonObject } from './json-value.js';

/** The last millisecond that four digits of a year can write. */
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

// `Date.parse` reads other forms in the machine's own time zone, or as its engine likes.
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/;
const ISO_DAY = /^\d{4}-\d\d-\d\d$/;
const WITH_GMT = /^[A-Z][a-z]{2},? .*\bGMT(?:[+-]\d{4})?(?: \([^)]*\))?$/;
const DIGITS = /^\d{1,15}$/;

export interface ReadDate {
  /** Milliseconds since 1970, whole. */
  readonly time: number;
  /** A date and time without a zone, read as UTC. */
  readonly assumedUtc?: true;
}

/** A legacy date as a time, or undefined where it names none that every machine would agree on. */
export function readDate(value: Json | undefined): ReadDate | undefined {
  if (typeof value === 'number') return checkTime(Math.floor(value));
  if (isJsonObject(value)) {
    const transit = value['DateEpochMS'];
    return typeof transit === 'number' ? checkTime(Math.floor(transit)) : undefined;
  }
  if (typeof value !== 'string') return undefined;
  if (DIGITS.test(value)) return checkTime(Number(value));
  const iso = ISO.exec(value);
  if (iso !== null && iso[1] === undefined) {
    const date = checkTime(Date.parse(`${value}Z`));
    return date === undefined ? undefined : { time: date.time, assumedUtc: true };
  }
  if (iso !== null || ISO_DAY.test(value) || WITH_GMT.test(value)) return checkTime(Date.parse(value));
  return undefined;
}

function checkTime(time: number): ReadDate | undefined {
  return time >= 0 && time <= LAST_TIME ? { time } : undefined;
}

export interface ReadSeconds {
  /** Milliseconds since 1970, whole. */
  readonly time: number;
  /** 0 … 999 within that millisecond. */
  readonly micros: number;
}

/** A jupyter-chat `time`: seconds since 1970 with a fraction. */
export function readSeconds(value: Json | undefined): ReadSeconds | undefined {
  if (typeof value !== 'number') {
    const date = readDate(value);
    return date === undefined ? undefined : { time: date.time, micros: 0 };
  }
  // Above this, seconds would be the year 5138: somebody wrote milliseconds.
  const micros = Math.round(value * (value > 1e11 ? 1e3 : 1e6));
  const time = Math.floor(micros / 1000);
  return checkTime(time) === undefined ? undefined : { time, micros: micros - time * 1000 };
}
