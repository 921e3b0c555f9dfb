// Units of time.

import type { FormattedValue } from './format';
import { toFixed } from './fixed';

/** Below `bound` (in the unit's own measure) the value is divided by `size` and gets `name`. */
type Step = readonly [bound: number, size: number, name: string];

const LADDERS: Readonly<Record<string, readonly Step[]>> = {
  ns: [
    [1e3, 1, 'ns'],
    [1e6, 1e3, 'µs'],
    [1e9, 1e6, 'ms'],
    [6e10, 1e9, 's'],
    [3.6e12, 6e10, 'min'],
    [8.64e13, 3.6e12, 'hour'],
    [Infinity, 8.64e13, 'day'],
  ],
  µs: [
    [1e3, 1, 'µs'],
    [1e6, 1e3, 'ms'],
    [Infinity, 1e6, 's'],
  ],
  ms: [
    [1e3, 1, 'ms'],
    [6e4, 1e3, 's'],
    [3.6e6, 6e4, 'min'],
    [8.64e7, 3.6e6, 'hour'],
    [3.1536e10, 8.64e7, 'day'],
    [Infinity, 3.1536e10, 'year'],
  ],
  s: [
    [1e-6, 1e-9, 'ns'],
    [1e-3, 1e-6, 'µs'],
    [1, 1e-3, 'ms'],
    [60, 1, 's'],
    [3600, 60, 'min'],
    [86_400, 3600, 'hour'],
    [604_800, 86_400, 'day'],
    [31_536_000, 604_800, 'week'],
    [Infinity, 3.15569e7, 'year'],
  ],
  m: [
    [60, 1, 'min'],
    [1440, 60, 'hour'],
    [10_080, 1440, 'day'],
    [604_800, 10_080, 'week'],
    [Infinity, 5.25948e5, 'year'],
  ],
  h: [
    [24, 1, 'hour'],
    [168, 24, 'day'],
    [8760, 168, 'week'],
    [Infinity, 8760, 'year'],
  ],
  d: [
    [7, 1, 'day'],
    [365, 7, 'week'],
    [Infinity, 365, 'year'],
  ],
};

const PLURAL = new Set(['min', 'hour', 'day', 'week', 'year']);
/** Units whose own name stays singular: `1.50 hour`. */
const SINGULAR: Readonly<Record<string, string>> = { m: 'min', h: 'hour' };

/** A value in unit `id` (`ns`, `µs`, `ms`, `s`, `m`, `h`, `d`) in the largest unit that fits. */
export function formatTimeUnit(id: string, value: number, decimals?: number): FormattedValue {
  const ladder = LADDERS[id] ?? [];
  if (id === 's' && value === 0) return { text: '0', suffix: ' s' };
  const step = ladder.find(([bound]) => Math.abs(value) < bound) ?? ladder[ladder.length - 1];
  if (step === undefined) return { text: toFixed(value, decimals) };
  const [, size, name] = step;
  const scaled = size < 1 ? value * Math.round(1 / size) : value / size;
  const plural = PLURAL.has(name) && SINGULAR[id] !== name && Math.abs(scaled) > 1 ? 's' : '';
  return { text: toFixed(scaled, decimals), suffix: ` ${name}${plural}` };
}

const LONG_UNITS: readonly (readonly [string, number])[] = [
  ['year', 31_536_000_000],
  ['month', 2_628_000_000],
  ['week', 604_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
];

/** `1 hour, 2 minutes`: as many further units as `decimals` asks for. */
export function formatLongDuration(ms: number, decimals = 0): FormattedValue {
  if (!Number.isFinite(ms)) return { text: toFixed(ms) };
  if (ms === 0) return { text: '0', suffix: ' milliseconds' };
  if (ms < 0) {
    const positive = formatLongDuration(-ms, decimals);
    return { ...positive, suffix: `${positive.suffix ?? ''} ago` };
  }
  const parts: string[] = [];
  let rest = ms;
  let left = decimals + 1;
  for (const [name, size] of LONG_UNITS) {
    const count = Math.floor(rest / size);
    if (parts.length === 0 && count === 0) continue;
    if (left === 0) break;
    left -= 1;
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
  }
  return { text: parts.join(', ') };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `01:02:05`, with days in front when `withDays`. */
export function formatHms(seconds: number, withDays: boolean): FormattedValue {
  if (!Number.isFinite(seconds)) return { text: toFixed(seconds) };
  const suffix = seconds < 0 ? ' ago' : '';
  const total = Math.floor(Math.abs(seconds));
  const days = withDays ? Math.floor(total / 86_400) : 0;
  const rest = total - days * 86_400;
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor((rest % 3600) / 60))}:${two(rest % 60)}`;
  return { text: days > 0 ? `${days} d ${clock}` : clock, suffix };
}

/** `1h:02m:05s:000ms`; decimals 0–2 cut after hours, minutes, seconds. */
export function formatClockUnit(ms: number, decimals?: number): FormattedValue {
  if (!Number.isFinite(ms)) return { text: toFixed(ms) };
  const whole = Math.floor(ms);
  const milliseconds = ((whole % 1000) + 1000) % 1000;
  if (whole < 1000) return { text: `${String(milliseconds).padStart(3, '0')}ms` };
  const seconds = Math.floor(whole / 1000);
  const hours = Math.floor(seconds / 3600);
  const parts =
    seconds < 60
      ? [`${two(seconds)}s`, `${String(milliseconds).padStart(3, '0')}ms`]
      : seconds < 3600
        ? [`${two(Math.floor(seconds / 60))}m`, `${two(seconds % 60)}s`, `${String(milliseconds).padStart(3, '0')}ms`]
        : [
            `${hours}h`,
            `${two(Math.floor((seconds % 3600) / 60))}m`,
            `${two(seconds % 60)}s`,
            `${String(milliseconds).padStart(3, '0')}ms`,
          ];
  const keep = decimals === undefined ? parts.length : Math.min(decimals + 1, parts.length);
  return { text: parts.slice(0, keep).join(':') };
}
