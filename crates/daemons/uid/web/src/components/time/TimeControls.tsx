// Range, zoom out, refresh and its period: the right half of the top bar.

import type { ReactNode } from 'react';
import { describeRange } from '../../lib/time/range';
import { formatDateTime } from '../../lib/time/format';
import { Icon } from '../Icon';
import { Popover } from '../Popover';
import { RangePicker } from './RangePicker';
import type { TimeState } from './use-time';

const INTERVALS = ['5s', '10s', '30s', '1m', '5m', '15m', '30m', '1h', '2h', '1d'];

export interface TimeControlsProps {
  readonly time: TimeState;
  readonly intervals?: readonly string[];
  readonly busy?: boolean;
  readonly onRefresh?: () => void;
}

export function TimeControls({ time, intervals = INTERVALS, busy = false, onRefresh }: TimeControlsProps): ReactNode {
  const { raw, range, zone, refresh } = time;
  const exact = `${formatDateTime(range.from, zone)} to ${formatDateTime(range.to, zone)}`;
  return (
    <>
      <div className="group">
        <Popover
          align="end"
          className="button"
          label={
            <>
              <Icon name="clock" />
              <span className="truncate time-label">{describeRange(raw, zone)}</span>
              <Icon name="chevronDown" size={12} />
            </>
          }
          name={`Time range: ${describeRange(raw, zone)}. ${exact}`}
        >
          {(close) => <RangePicker close={close} time={time} />}
        </Popover>
        <button
          aria-label="Zoom out"
          className="button button-icon"
          onClick={time.zoomOut}
          title="Zoom out (t z)"
          type="button"
        >
          <Icon name="zoomOut" />
        </button>
      </div>
      <div className="group">
        <button
          aria-label="Refresh"
          className={`button button-icon${busy ? ' is-busy' : ''}`}
          onClick={onRefresh ?? time.refreshNow}
          title="Refresh (d r)"
          type="button"
        >
          <Icon name="refresh" />
        </button>
        <Popover
          align="end"
          className="button refresh-every"
          label={
            <>
              {refresh === '' ? 'Off' : refresh}
              <Icon name="chevronDown" size={12} />
            </>
          }
          name={`Auto refresh: ${refresh === '' ? 'off' : `every ${refresh}`}`}
        >
          {(close) => (
            <ul className="menu">
              {['', ...intervals].map((interval) => (
                <li key={interval}>
                  <button
                    aria-pressed={interval === refresh}
                    onClick={() => {
                      time.setRefresh(interval);
                      close();
                    }}
                    type="button"
                  >
                    {interval === '' ? 'Off' : interval}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Popover>
      </div>
    </>
  );
}
