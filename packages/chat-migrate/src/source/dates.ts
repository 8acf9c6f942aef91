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

/** Days before each month of a common year. */
const DAYS = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAY_MS = 86_400_000;
const ZERO = 48;

/**
 * The time of a date in the one form that a document writes, `YYYY-MM-DDTHH:MM:SS.mmmZ` from 1970 on; -1 of any
 * other, and of a 29th of February. Nearly every row has several dates, so this is without an expression.
 */
export function readCanonicalDate(date: string): number {
  if (date.length !== DATE_LENGTH) return -1;
  for (let index = 0; index < DATE_LENGTH; index += 1) CODES[index] = date.charCodeAt(index);
  return readDateBytes(CODES, 0);
}

/** How long such a date is. */
const DATE_LENGTH = 24;
const CODES = new Uint16Array(DATE_LENGTH);

/** As `readCanonicalDate`, of the 24 characters from `at`. */
export function readDateBytes(bytes: Uint8Array | Uint16Array, at: number): number {
  if (bytes[at + 23] !== 90 || bytes[at + 10] !== 84) return -1;
  if (bytes[at + 4] !== 45 || bytes[at + 7] !== 45 || bytes[at + 19] !== 46) return -1;
  if (bytes[at + 13] !== 58 || bytes[at + 16] !== 58) return -1;
  const year = readTwo(bytes, at) * 100 + readTwo(bytes, at + 2);
  const month = readTwo(bytes, at + 5);
  const day = readTwo(bytes, at + 8);
  const hour = readTwo(bytes, at + 11);
  const minute = readTwo(bytes, at + 14);
  const second = readTwo(bytes, at + 17);
  const ms = readTwo(bytes, at + 20) * 10 + readDigit(bytes, at + 22);
  // One of them is NaN if one of the characters is not a digit.
  const isDate =
    year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= (LENGTHS[month - 1] as number);
  if (!(isDate && hour < 24 && minute < 60 && second < 60 && ms >= 0)) return -1;
  const before = year - (month > 2 ? 0 : 1);
  const leaps = (before >> 2) - Math.floor(before / 100) + Math.floor(before / 400) - 477;
  const days = (year - 1970) * 365 + leaps + (DAYS[month - 1] as number) + day - 1;
  return days * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000 + ms;
}

function readTwo(bytes: Uint8Array | Uint16Array, at: number): number {
  return readDigit(bytes, at) * 10 + readDigit(bytes, at + 1);
}

function readDigit(bytes: Uint8Array | Uint16Array, at: number): number {
  const digit = (bytes[at] as number) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

/** A legacy date as a time, or undefined where it names none that every machine would agree on. */
export function readDate(value: Json | undefined): ReadDate | undefined {
  if (typeof value === 'number') return checkTime(Math.floor(value));
  if (isJsonObject(value)) {
    const transit = value['DateEpochMS'];
    return typeof transit === 'number' ? checkTime(Math.floor(transit)) : undefined;
  }
  if (typeof value !== 'string') return undefined;
  const canonical = readCanonicalDate(value);
  if (canonical >= 0) return { time: canonical };
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
