// Clock time in a named zone: `browser`, `utc` or an IANA name.

export type TimeZone = string;

export interface ClockTime {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** The IANA name to hand to `Intl`; unknown names mean the browser's own zone. */
export function ianaZone(zone: TimeZone): string | undefined {
  if (zone === '' || zone === 'browser') return undefined;
  if (zone.toLowerCase() === 'utc') return 'UTC';
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return zone;
  } catch {
    return undefined;
  }
}

function formatterOf(zone: TimeZone): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: ianaZone(zone),
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

export function clockTime(ms: number, zone: TimeZone): ClockTime {
  const iana = ianaZone(zone);
  const date = new Date(ms);
  if (iana === undefined) {
    return {
      year: date.getFullYear(),
      month: date.getMonth() + 1,
      day: date.getDate(),
      hour: date.getHours(),
      minute: date.getMinutes(),
      second: date.getSeconds(),
    };
  }
  if (iana === 'UTC') {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
    };
  }
  const parts: Record<string, number> = {};
  for (const part of formatterOf(zone).formatToParts(date)) parts[part.type] = Number(part.value);
  return {
    year: parts['year'] ?? 1970,
    month: parts['month'] ?? 1,
    day: parts['day'] ?? 1,
    hour: parts['hour'] ?? 0,
    minute: parts['minute'] ?? 0,
    second: parts['second'] ?? 0,
  };
}

/** Milliseconds to add to UTC to get the zone's clock at that moment. */
export function zoneOffset(ms: number, zone: TimeZone): number {
  const clock = clockTime(ms, zone);
  const asUtc = Date.UTC(clock.year, clock.month - 1, clock.day, clock.hour, clock.minute, clock.second);
  return asUtc - Math.floor(ms / 1000) * 1000;
}

/** The moment at which the zone's clock shows this; fields may overflow (month 13, day 0). */
export function fromClock(clock: ClockTime, zone: TimeZone): number {
  const asUtc = Date.UTC(clock.year, clock.month - 1, clock.day, clock.hour, clock.minute, clock.second);
  const guess = asUtc - zoneOffset(asUtc, zone);
  // A second look settles the hours around a change of the clocks.
  return asUtc - zoneOffset(guess, zone);
}
