// Frames of log lines → rows with time, level and fields.

import { timeField, type DataFrame, type Labels } from '../../lib/data/frame';
import { asStringMap } from '../../lib/json';

export const LEVELS = ['critical', 'error', 'warning', 'info', 'debug', 'trace', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

const NAMES: Readonly<Record<string, Level>> = {
  emerg: 'critical',
  emergency: 'critical',
  fatal: 'critical',
  alert: 'critical',
  crit: 'critical',
  critical: 'critical',
  panic: 'critical',
  err: 'error',
  eror: 'error',
  error: 'error',
  warn: 'warning',
  warning: 'warning',
  info: 'info',
  information: 'info',
  informational: 'info',
  notice: 'info',
  dbug: 'debug',
  debug: 'debug',
  trace: 'trace',
};

export interface LogLine {
  readonly key: string;
  /** milliseconds */
  readonly time: number;
  /** nanoseconds as text, for an exact order */
  readonly nanos: string;
  readonly text: string;
  readonly labels: Labels;
  readonly level: Level;
}

const LEVEL_LABELS = ['level', 'detected_level', 'severity', 'lvl', 'loglevel'];
const IN_TEXT =
  /\b(emerg(?:ency)?|fatal|alert|crit(?:ical)?|panic|err(?:or)?|eror|warn(?:ing)?|info(?:rmation(?:al)?)?|notice|debug|dbug|trace)\b/i;

export function levelOf(labels: Labels, text: string): Level {
  for (const label of LEVEL_LABELS) {
    const named = labels[label];
    if (named !== undefined) {
      const level = NAMES[named.toLowerCase()];
      if (level !== undefined) return level;
    }
  }
  const found = IN_TEXT.exec(text.slice(0, 500))?.[1];
  return found === undefined ? 'unknown' : (NAMES[found.toLowerCase()] ?? 'unknown');
}

export function isLogFrame(frame: DataFrame): boolean {
  if (frame.meta.preferredVisualisationType === 'logs') return true;
  const hasLine = frame.fields.some((field) => field.type === 'string' && /^(line|body|message)$/i.test(field.name));
  return hasLine && timeField(frame) !== undefined;
}

/** Lines of all frames, newest first. */
export function logLines(frames: readonly DataFrame[]): LogLine[] {
  const lines = frames.flatMap((frame, frameIndex) => linesOf(frame, frameIndex));
  return lines.sort(newestFirst);
}

function linesOf(frame: DataFrame, frameIndex: number): LogLine[] {
  const time = timeField(frame);
  const text =
    frame.fields.find((field) => field.type === 'string' && /^(line|body|message)$/i.test(field.name)) ??
    frame.fields.find((field) => field.type === 'string' && !['id', 'tsNs'].includes(field.name));
  if (time === undefined || text === undefined) return [];
  const labels = frame.fields.find((field) => field.name === 'labels' && field.type === 'other');
  const nanos = frame.fields.find((field) => field.name === 'tsNs');
  const id = frame.fields.find((field) => field.name === 'id');
  return text.values.map((value, row) => {
    const line = typeof value === 'string' ? value : JSON.stringify(value ?? '');
    const own: Labels = labels === undefined ? (text.labels ?? {}) : asStringMap(labels.values[row]);
    const at = time.values[row];
    const ms = typeof at === 'number' ? at : 0;
    const exact = nanos?.values[row];
    const known = id?.values[row];
    return {
      key: `${frameIndex}-${typeof known === 'string' ? known : ''}-${row}`,
      time: ms,
      nanos: typeof exact === 'string' ? exact : `${Math.round(ms)}000000`,
      text: line,
      labels: own,
      level: levelOf(own, line),
    };
  });
}

function newestFirst(a: LogLine, b: LogLine): number {
  if (a.nanos.length !== b.nanos.length) return b.nanos.length - a.nanos.length;
  return a.nanos < b.nanos ? 1 : a.nanos > b.nanos ? -1 : 0;
}

/** Labels that every line shares with the same value. */
export function commonLabels(lines: readonly LogLine[]): Labels {
  const [first] = lines;
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.entries(first.labels).filter(([name, value]) => lines.every((line) => line.labels[name] === value)),
  );
}

export function uniqueLabels(line: LogLine, common: Labels): Labels {
  return Object.fromEntries(Object.entries(line.labels).filter(([name]) => !Object.hasOwn(common, name)));
}

export type Dedup = 'none' | 'exact' | 'numbers' | 'signature';

export interface DedupedLine extends LogLine {
  readonly duplicates: number;
}

/** Neighbours that say the same become one line with a count. */
export function dedupLines(lines: readonly LogLine[], strategy: Dedup): DedupedLine[] {
  const out: DedupedLine[] = [];
  let previous: string | undefined;
  for (const line of lines) {
    const signature = strategy === 'none' ? undefined : signatureOf(line.text, strategy);
    const last = out[out.length - 1];
    if (signature !== undefined && signature === previous && last !== undefined) {
      out[out.length - 1] = { ...last, duplicates: last.duplicates + 1 };
    } else {
      out.push({ ...line, duplicates: 0 });
    }
    previous = signature;
  }
  return out;
}

function signatureOf(text: string, strategy: Dedup): string {
  if (strategy === 'numbers') return text.replace(/\d+/g, '#');
  if (strategy === 'signature') return text.replace(/\w+/g, '');
  return text.replace(/\d{4}-\d{2}-\d{2}[T ][\d:.,+Z-]+/g, '');
}

/** JSON spread over several lines; other text as it is. */
export function prettify(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') && !trimmed.startsWith('[')) return text;
  try {
    return JSON.stringify(JSON.parse(trimmed), null, 2);
  } catch {
    return text;
  }
}
