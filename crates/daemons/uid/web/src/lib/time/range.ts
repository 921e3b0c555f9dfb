// Time ranges: date math such as `now-6h/h`, absolute times, and the words that describe them.

import { formatDateTime } from './format';
import { clockTime, fromClock, type ClockTime, type TimeZone } from './zone';

/** As the URL and dashboards hold it. */
export interface RawRange {
  readonly from: string;
  readonly to: string;
}

/** Milliseconds since the epoch. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

type Unit = 's' | 'm' | 'h' | 'd' | 'w' | 'M' | 'Q' | 'y';

const FIXED: Readonly<Partial<Record<Unit, number>>> = { s: 1_000, m: 60_000, h: 3_600_000 };
const NAMES: Readonly<Record<Unit, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  M: 'month',
  Q: 'quarter',
  y: 'year',
};

export const QUICK_RANGES: readonly (RawRange & { readonly label: string })[] = [
  { from: 'now-5m', to: 'now', label: 'Last 5 minutes' },
  { from: 'now-15m', to: 'now', label: 'Last 15 minutes' },
  { from: 'now-30m', to: 'now', label: 'Last 30 minutes' },
  { from: 'now-1h', to: 'now', label: 'Last 1 hour' },
  { from: 'now-3h', to: 'now', label: 'Last 3 hours' },
  { from: 'now-6h', to: 'now', label: 'Last 6 hours' },
  { from: 'now-12h', to: 'now', label: 'Last 12 hours' },
  { from: 'now-24h', to: 'now', label: 'Last 24 hours' },
  { from: 'now-2d', to: 'now', label: 'Last 2 days' },
  { from: 'now-7d', to: 'now', label: 'Last 7 days' },
  { from: 'now-30d', to: 'now', label: 'Last 30 days' },
  { from: 'now-90d', to: 'now', label: 'Last 90 days' },
  { from: 'now-1y', to: 'now', label: 'Last 1 year' },
  { from: 'now-1d/d', to: 'now-1d/d', label: 'Yesterday' },
  { from: 'now/d', to: 'now/d', label: 'Today' },
  { from: 'now/d', to: 'now', label: 'Today so far' },
  { from: 'now/w', to: 'now', label: 'This week so far' },
  { from: 'now/M', to: 'now', label: 'This month so far' },
];

export function isRelative(text: string): boolean {
  return text.trim().startsWith('now');
}

function shift(ms: number, amount: number, unit: Unit, zone: TimeZone): number {
  const fixed = FIXED[unit];
  if (fixed !== undefined) return ms + amount * fixed;
  const clock = clockTime(ms, zone);
  const moved: Record<string, ClockTime> = {
    d: { ...clock, day: clock.day + amount },
    w: { ...clock, day: clock.day + 7 * amount },
    M: addMonths(clock, amount),
    Q: addMonths(clock, 3 * amount),
    y: addMonths(clock, 12 * amount),
  };
  return fromClock(moved[unit] ?? clock, zone) + (((ms % 1000) + 1000) % 1000);
}

/** Adds months and keeps to the last day of a shorter month. */
function addMonths(clock: ClockTime, amount: number): ClockTime {
  const index = clock.year * 12 + clock.month - 1 + amount;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return { ...clock, year, month, day: Math.min(clock.day, lastDay) };
}

function startOf(ms: number, unit: Unit, zone: TimeZone): number {
  const fixed = FIXED[unit];
  if (unit === 's' && fixed !== undefined) return Math.floor(ms / fixed) * fixed;
  const clock = clockTime(ms, zone);
  const midnight: ClockTime = { ...clock, hour: 0, minute: 0, second: 0 };
  switch (unit) {
    case 'm':
      return fromClock({ ...clock, second: 0 }, zone);
    case 'h':
      return fromClock({ ...clock, minute: 0, second: 0 }, zone);
    case 'w': {
      const weekday = new Date(Date.UTC(clock.year, clock.month - 1, clock.day)).getUTCDay();
      return fromClock({ ...midnight, day: clock.day - weekday }, zone);
    }
    case 'M':
      return fromClock({ ...midnight, day: 1 }, zone);
    case 'Q':
      return fromClock({ ...midnight, month: Math.floor((clock.month - 1) / 3) * 3 + 1, day: 1 }, zone);
    case 'y':
      return fromClock({ ...midnight, month: 1, day: 1 }, zone);
    default:
      return fromClock(midnight, zone);
  }
}

/**
 * Milliseconds of one end of a range; `undefined` when the text means nothing.
 * `roundUp` says which end of `/d` is meant: an end of a range takes the last millisecond.
 */
export function parseTime(text: string, now: number, roundUp: boolean, zone: TimeZone): number | undefined {
  const trimmed = text.trim();
  if (isRelative(trimmed)) return parseMath(trimmed.slice(3), now, roundUp, zone);
  if (/^-?\d+$/.test(trimmed)) return Number(trimmed);
  const clock = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(trimmed);
  if (clock !== null) {
    const [, year, month, day, hour, minute, second] = clock.map(Number);
    const dateOnly = clock[4] === undefined;
    return fromClock(
      {
        year: year ?? 1970,
        month: month ?? 1,
        day: day ?? 1,
        hour: dateOnly ? (roundUp ? 23 : 0) : (hour ?? 0),
        minute: dateOnly ? (roundUp ? 59 : 0) : (minute ?? 0),
        second: clock[6] === undefined ? (dateOnly && roundUp ? 59 : 0) : (second ?? 0),
      },
      zone,
    );
  }
  const parsed = Date.parse(trimmed);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function parseMath(math: string, now: number, roundUp: boolean, zone: TimeZone): number | undefined {
  let time = now;
  let rest = math.trim();
  while (rest !== '') {
    const step = /^([+\-/])(\d*)([smhdwMQy])\s*/.exec(rest);
    if (step === null) return undefined;
    const [whole, operator, digits, letter] = step;
    const unit = letter as Unit;
    const amount = digits === '' ? 1 : Number(digits);
    if (operator === '/') {
      if (amount !== 1) return undefined;
      const start = startOf(time, unit, zone);
      time = roundUp ? shift(start, 1, unit, zone) - 1 : start;
    } else {
      time = shift(time, operator === '+' ? amount : -amount, unit, zone);
    }
    rest = rest.slice(whole.length);
  }
  return time;
}

/** Both ends as moments; a range that cannot be read becomes the last six hours. */
export function resolveRange(raw: RawRange, now: number, zone: TimeZone): TimeRange {
  const from = parseTime(raw.from, now, false, zone);
  const to = parseTime(raw.to, now, true, zone);
  if (from === undefined || to === undefined || from > to) return { from: now - 6 * 3_600_000, to: now };
  return { from, to };
}

/** “Last 6 hours”, or the two moments. */
export function describeRange(raw: RawRange, zone: TimeZone): string {
  const quick = QUICK_RANGES.find((item) => item.from === raw.from && item.to === raw.to);
  if (quick !== undefined) return quick.label;
  const last = /^now-(\d+)([smhdwMQy])$/.exec(raw.from);
  if (last !== null && raw.to === 'now') {
    const [, amount, unit] = last;
    return `Last ${amount} ${NAMES[unit as Unit]}${amount === '1' ? '' : 's'}`;
  }
  return `${describeEnd(raw.from, zone)} to ${describeEnd(raw.to, zone)}`;
}

function describeEnd(text: string, zone: TimeZone): string {
  if (isRelative(text)) return text;
  const time = parseTime(text, 0, false, zone);
  return time === undefined ? text : formatDateTime(time, zone);
}

/** The same middle, twice the width; never past `now`. */
export function zoomOut(range: TimeRange, now: number): TimeRange {
  const width = Math.max(range.to - range.from, 1000);
  const from = Math.round(range.from - width / 2);
  const to = Math.round(range.to + width / 2);
  return to > now ? { from: now - 2 * width, to: now } : { from, to };
}

/** Half a width to either side. */
export function shiftRange(range: TimeRange, direction: -1 | 1): TimeRange {
  const by = Math.round(((range.to - range.from) / 2) * direction);
  return { from: range.from + by, to: range.to + by };
}
