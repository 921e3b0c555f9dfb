// Moments as text.

import { clockTime, type TimeZone } from './zone';

const two = (value: number): string => String(value).padStart(2, '0');

/** `2025-03-01 14:05:09` */
export function formatDateTime(ms: number, zone: TimeZone): string {
  return `${formatDate(ms, zone)} ${formatClock(ms, zone)}`;
}

/** `2025-03-01` */
export function formatDate(ms: number, zone: TimeZone): string {
  const clock = clockTime(ms, zone);
  return `${clock.year}-${two(clock.month)}-${two(clock.day)}`;
}

/** `14:05:09` */
export function formatClock(ms: number, zone: TimeZone): string {
  const clock = clockTime(ms, zone);
  return `${two(clock.hour)}:${two(clock.minute)}:${two(clock.second)}`;
}

/** `2025-03-01 14:05:09.123`, for log lines. */
export function formatDateTimeMs(ms: number, zone: TimeZone): string {
  const milliseconds = ((Math.floor(ms) % 1000) + 1000) % 1000;
  return `${formatDateTime(ms, zone)}.${String(milliseconds).padStart(3, '0')}`;
}

/** Axis labels: as short as the distance between ticks allows. */
export function formatTick(ms: number, incrementMs: number, spanMs: number, zone: TimeZone): string {
  const clock = clockTime(ms, zone);
  const time = `${two(clock.hour)}:${two(clock.minute)}`;
  if (incrementMs < 1_000) return `${time}:${two(clock.second)}.${String(ms % 1000).padStart(3, '0')}`;
  if (incrementMs < 60_000) return `${time}:${two(clock.second)}`;
  const day = `${two(clock.month)}/${two(clock.day)}`;
  if (incrementMs < 86_400_000) return spanMs > 86_400_000 ? `${day} ${time}` : time;
  if (incrementMs < 27 * 86_400_000) return day;
  return incrementMs < 360 * 86_400_000 ? `${clock.year}-${two(clock.month)}` : String(clock.year);
}

const STEPS: readonly (readonly [number, Intl.RelativeTimeFormatUnit])[] = [
  [31_536_000_000, 'year'],
  [2_592_000_000, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** “5 minutes ago”, “in 2 days”. */
export function fromNow(ms: number, now: number): string {
  const difference = ms - now;
  for (const [size, unit] of STEPS) {
    if (Math.abs(difference) >= size) return relative.format(Math.trunc(difference / size), unit);
  }
  return 'just now';
}
