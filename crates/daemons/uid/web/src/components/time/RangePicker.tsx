// The sheet under the time button: two fields for exact ends, and the quick ranges.

import { useState, type FormEvent, type ReactNode } from 'react';
import { formatDateTime } from '../../lib/time/format';
import { isRelative, parseTime, QUICK_RANGES } from '../../lib/time/range';
import type { TimeZone } from '../../lib/time/zone';
import type { TimeState } from './use-time';

export interface RangePickerProps {
  readonly time: TimeState;
  readonly close: () => void;
}

export function RangePicker({ time, close }: RangePickerProps): ReactNode {
  const { raw, zone } = time;
  const [from, setFrom] = useState(() => shown(raw.from, zone));
  const [to, setTo] = useState(() => shown(raw.to, zone));
  const [error, setError] = useState('');
  const [filter, setFilter] = useState('');

  const apply = (event: FormEvent): void => {
    event.preventDefault();
    const now = Date.now();
    const [start, end] = [parseTime(from, now, false, zone), parseTime(to, now, true, zone)];
    if (start === undefined) return setError('“From” is neither a date nor now-…');
    if (end === undefined) return setError('“To” is neither a date nor now-…');
    if (start > end) return setError('“From” is after “To”');
    time.setRaw({ from: isRelative(from) ? from.trim() : String(start), to: isRelative(to) ? to.trim() : String(end) });
    close();
  };

  const quick = QUICK_RANGES.filter((range) => range.label.toLowerCase().includes(filter.toLowerCase()));
  return (
    <div className="range-picker">
      <form onSubmit={apply}>
        <label className="field">
          <span>From</span>
          <input
            autoComplete="off"
            className="input"
            onChange={(event) => setFrom(event.target.value)}
            spellCheck={false}
            value={from}
          />
        </label>
        <label className="field">
          <span>To</span>
          <input
            autoComplete="off"
            className="input"
            onChange={(event) => setTo(event.target.value)}
            spellCheck={false}
            value={to}
          />
        </label>
        <p className={error === '' ? 'hint' : 'hint hint-bad'} role={error === '' ? undefined : 'alert'}>
          {error === '' ? 'A date such as 2025-03-01 14:00, or now-6h, now/d' : error}
        </p>
        <button className="button button-primary" type="submit">
          Apply time range
        </button>
        <p className="hint">
          Time zone: {zone === 'browser' ? (Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'browser') : zone}
        </p>
      </form>
      <div className="range-quick">
        <input
          aria-label="Search quick ranges"
          className="input"
          onChange={(event) => setFilter(event.target.value)}
          placeholder="Search quick ranges"
          value={filter}
        />
        <ul className="menu">
          {quick.map((range) => (
            <li key={range.label}>
              <button
                aria-pressed={range.from === raw.from && range.to === raw.to}
                onClick={() => {
                  time.setRaw({ from: range.from, to: range.to });
                  close();
                }}
                type="button"
              >
                {range.label}
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function shown(text: string, zone: TimeZone): string {
  if (isRelative(text)) return text;
  const time = parseTime(text, 0, false, zone);
  return time === undefined ? text : formatDateTime(time, zone);
}
