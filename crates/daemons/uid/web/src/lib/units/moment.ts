// The part of moment.js's format language that dashboards use (`YYYY-MM-DD HH:mm:ss`).

import { clockTime, type TimeZone } from '../time/zone';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const TOKENS = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|dddd|ddd|DD|Do|D|HH|H|hh|h|mm|m|ss|s|SSS|A|a|X|x/g;

const two = (value: number): string => String(value).padStart(2, '0');

export function formatMoment(ms: number, format: string, zone: TimeZone): string {
  const clock = clockTime(ms, zone);
  const weekday = DAYS[new Date(Date.UTC(clock.year, clock.month - 1, clock.day)).getUTCDay()] ?? '';
  const month = MONTHS[clock.month - 1] ?? '';
  const hour12 = clock.hour % 12 === 0 ? 12 : clock.hour % 12;
  const pieces: Readonly<Record<string, string>> = {
    YYYY: String(clock.year),
    YY: two(clock.year % 100),
    MMMM: month,
    MMM: month.slice(0, 3),
    MM: two(clock.month),
    M: String(clock.month),
    dddd: weekday,
    ddd: weekday.slice(0, 3),
    DD: two(clock.day),
    Do: ordinal(clock.day),
    D: String(clock.day),
    HH: two(clock.hour),
    H: String(clock.hour),
    hh: two(hour12),
    h: String(hour12),
    mm: two(clock.minute),
    m: String(clock.minute),
    ss: two(clock.second),
    s: String(clock.second),
    SSS: String(((Math.floor(ms) % 1000) + 1000) % 1000).padStart(3, '0'),
    A: clock.hour < 12 ? 'AM' : 'PM',
    a: clock.hour < 12 ? 'am' : 'pm',
    X: String(Math.floor(ms / 1000)),
    x: String(ms),
  };
  return format.replace(TOKENS, (token: string, literal: string | undefined) => literal ?? pieces[token] ?? token);
}

function ordinal(day: number): string {
  const teens = day % 100 >= 11 && day % 100 <= 13;
  const ending = teens ? 'th' : (['th', 'st', 'nd', 'rd'][day % 10] ?? 'th');
  return `${day}${ending}`;
}
