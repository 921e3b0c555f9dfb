// How many lines of each level there were when, counted from the lines that came back.

import { makeField, makeFrame, type DataFrame } from '../../lib/data/frame';
import { roundInterval } from '../../lib/time/interval';
import type { TimeRange } from '../../lib/time/range';
import { LEVELS, type Level, type LogLine } from '../../panels/logs/lines';

const BUCKETS = 60;

const COLORS: Readonly<Record<Level, string>> = {
  critical: 'purple',
  error: 'red',
  warning: 'yellow',
  info: 'green',
  debug: 'blue',
  trace: 'light-blue',
  unknown: '#8e94a3',
};

export interface LogHistogram {
  readonly frames: readonly DataFrame[];
  /** milliseconds */
  readonly interval: number;
}

export function logHistogram(lines: readonly LogLine[], range: TimeRange): LogHistogram {
  const interval = roundInterval((range.to - range.from) / BUCKETS);
  const first = Math.floor(range.from / interval) * interval;
  const count = Math.max(Math.ceil((range.to - first) / interval), 1);
  const times = Array.from({ length: count }, (_, index) => first + index * interval);
  const counts = new Map<Level, number[]>();
  for (const { time, level } of lines) {
    const index = Math.floor((time - first) / interval);
    if (index < 0 || index >= count) continue;
    const column = counts.get(level) ?? Array<number>(count).fill(0);
    column[index] = (column[index] ?? 0) + 1;
    counts.set(level, column);
  }
  const frames = LEVELS.flatMap((level) => {
    const values = counts.get(level);
    if (values === undefined) return [];
    const custom = {
      drawStyle: 'bars',
      fillOpacity: 90,
      lineWidth: 0,
      stacking: { mode: 'normal', group: 'A' },
      barAlignment: 1,
    };
    return [
      makeFrame([
        makeField('Time', 'time', times),
        makeField(level, 'number', values, {
          config: { unit: 'short', color: { mode: 'fixed', fixedColor: COLORS[level] }, min: 0, custom },
        }),
      ]),
    ];
  });
  return { frames, interval };
}
