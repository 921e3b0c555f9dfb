import { describe, expect, it } from 'vitest';
import { formatDuration, formatGoDuration, parseDuration } from './duration';
import { formatTick, fromNow } from './format';
import { calculateInterval, minimumInterval, rateInterval, roundInterval } from './interval';
import { describeRange, parseTime, resolveRange, shiftRange, zoomOut } from './range';
import { fromClock, zoneOffset } from './zone';

const NOW = Date.UTC(2025, 2, 12, 15, 47, 33, 250); // a Wednesday
const iso = (ms: number | undefined): string => new Date(ms ?? NaN).toISOString();

describe('durations', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['15s', 15_000],
    ['250ms', 250],
    ['>10s', 10_000],
    ['30', 30_000],
    ['2d', 172_800_000],
    ['soon', undefined],
    ['', undefined],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it('writes the short and the Go form', () => {
    expect([90_000, 86_400_000, 500, 0].map(formatDuration)).toEqual(['1m30s', '1d', '500ms', '0s']);
    expect([60_000, 5_400_000, 250, 15_000].map(formatGoDuration)).toEqual(['1m0s', '1h30m0s', '250ms', '15s']);
  });
});

describe('intervals', () => {
  it.each([
    [9, 1],
    [10, 10],
    [34, 20],
    [1_499, 1_000],
    [12_499, 10_000],
    [12_500, 15_000],
    [44_999, 30_000],
    [89_999, 60_000],
    [5_399_999, 3_600_000],
    [604_799_999, 86_400_000],
    [4_000_000_000, 31_536_000_000],
  ])('%d ms is rounded to %d ms', (ms, rounded) => {
    expect(roundInterval(ms)).toBe(rounded);
  });

  it('never goes below the minimum', () => {
    expect(calculateInterval(3_600_000, 1000, 15_000)).toBe(15_000);
    expect(calculateInterval(6 * 3_600_000, 500, 15_000)).toBe(30_000);
  });

  it('takes the minimum from panel, source, then 15 s', () => {
    expect(minimumInterval('1m', '30s')).toBe(60_000);
    expect(minimumInterval(undefined, '30s')).toBe(30_000);
    expect(minimumInterval(undefined, undefined)).toBe(15_000);
  });

  it('covers four scrapes with the rate interval', () => {
    expect(rateInterval(15_000, 15_000)).toBe(60_000);
    expect(rateInterval(300_000, 15_000)).toBe(315_000);
  });
});

describe('date math', () => {
  it.each([
    ['now', false, '2025-03-12T15:47:33.250Z'],
    ['now-6h', false, '2025-03-12T09:47:33.250Z'],
    ['now-6h/h', false, '2025-03-12T09:00:00.000Z'],
    ['now/d', false, '2025-03-12T00:00:00.000Z'],
    ['now/d', true, '2025-03-12T23:59:59.999Z'],
    ['now-1d/d', true, '2025-03-11T23:59:59.999Z'],
    ['now/w', false, '2025-03-09T00:00:00.000Z'],
    ['now/M', true, '2025-03-31T23:59:59.999Z'],
    ['now-1M/M', false, '2025-02-01T00:00:00.000Z'],
    ['now/Q', false, '2025-01-01T00:00:00.000Z'],
    ['now-1y', false, '2024-03-12T15:47:33.250Z'],
    ['now+1d-1h', false, '2025-03-13T14:47:33.250Z'],
    ['1741794453000', false, '2025-03-12T15:47:33.000Z'],
    ['2025-03-01 10:30', false, '2025-03-01T10:30:00.000Z'],
    ['2025-03-01', true, '2025-03-01T23:59:59.000Z'],
    ['2025-03-01T10:30:00Z', false, '2025-03-01T10:30:00.000Z'],
  ])('%s (up: %s) is %s', (text, up, expected) => {
    expect(iso(parseTime(text, NOW, up, 'utc'))).toBe(expected);
  });

  it('keeps to the end of shorter months', () => {
    expect(iso(parseTime('now-1M', Date.UTC(2025, 2, 31, 12), false, 'utc'))).toBe('2025-02-28T12:00:00.000Z');
  });

  it.each(['now-', 'now/3d', 'nowish', 'yesterday', 'now-5x'])('refuses %s', (text) => {
    expect(parseTime(text, NOW, false, 'utc')).toBeUndefined();
  });

  it('rounds to the day of the zone', () => {
    expect(iso(parseTime('now/d', NOW, false, 'America/New_York'))).toBe('2025-03-12T04:00:00.000Z');
    // The day the clocks go forward has 23 hours.
    const spring = Date.UTC(2025, 2, 30, 12);
    const start = parseTime('now/d', spring, false, 'Europe/Berlin') ?? 0;
    const end = parseTime('now/d', spring, true, 'Europe/Berlin') ?? 0;
    expect(end + 1 - start).toBe(23 * 3_600_000);
  });

  it('knows offsets and the way back', () => {
    expect(zoneOffset(Date.UTC(2025, 6, 1), 'Europe/Berlin')).toBe(7_200_000);
    const clock = { year: 2025, month: 7, day: 1, hour: 2, minute: 0, second: 0 };
    expect(fromClock(clock, 'Europe/Berlin')).toBe(Date.UTC(2025, 6, 1));
  });
});

describe('ranges', () => {
  it('falls back to six hours for what cannot be read', () => {
    const range = resolveRange({ from: 'x', to: 'now' }, NOW, 'utc');
    expect(range).toEqual({ from: NOW - 6 * 3_600_000, to: NOW });
  });

  it.each([
    [{ from: 'now-6h', to: 'now' }, 'Last 6 hours'],
    [{ from: 'now-4h', to: 'now' }, 'Last 4 hours'],
    [{ from: 'now/d', to: 'now/d' }, 'Today'],
    [{ from: 'now-2d', to: 'now-1d' }, 'now-2d to now-1d'],
    [{ from: '0', to: '60000' }, '1970-01-01 00:00:00 to 1970-01-01 00:01:00'],
  ])('describes %o', (raw, words) => {
    expect(describeRange(raw, 'utc')).toBe(words);
  });

  it('zooms out around the middle, not past now', () => {
    expect(zoomOut({ from: 1_000_000, to: 1_010_000 }, 9e12)).toEqual({ from: 995_000, to: 1_015_000 });
    expect(zoomOut({ from: 1_000_000, to: 1_010_000 }, 1_010_000)).toEqual({ from: 990_000, to: 1_010_000 });
  });

  it('moves by half its width', () => {
    expect(shiftRange({ from: 0, to: 10_000 }, 1)).toEqual({ from: 5_000, to: 15_000 });
  });
});

describe('texts', () => {
  it('labels ticks as short as possible', () => {
    const at = Date.UTC(2025, 2, 1, 14, 5, 9, 120);
    expect(formatTick(at, 60_000, 3_600_000, 'utc')).toBe('14:05');
    expect(formatTick(at, 5_000, 60_000, 'utc')).toBe('14:05:09');
    expect(formatTick(at, 100, 1_000, 'utc')).toBe('14:05:09.120');
    expect(formatTick(at, 3_600_000, 3 * 86_400_000, 'utc')).toBe('03/01 14:05');
    expect(formatTick(at, 86_400_000, 7 * 86_400_000, 'utc')).toBe('03/01');
  });

  it('tells how long ago', () => {
    expect(fromNow(0, 65_000)).toBe('1 minute ago');
    expect(fromNow(172_800_000, 0)).toBe('in 2 days');
    expect(fromNow(0, 400)).toBe('just now');
  });
});
