// What came back, in the form that suits it.

import { useMemo, useState, type ReactNode } from 'react';
import { EmptyState, ErrorNotice } from '../../components/Notice';
import type { TimeState } from '../../components/time/use-time';
import { useTheme } from '../../context/theme';
import { parseDashboard } from '../../dashboard/parse';
import { stateLookup } from '../../dashboard/variables/resolve';
import { numberFields, timeField } from '../../lib/data/frame';
import type { QueryResult } from '../../lib/data/parse';
import { applyFieldConfig } from '../../lib/field/apply';
import { oneOf } from '../../lib/json';
import type { TimeRange } from '../../lib/time/range';
import { LogList } from '../../panels/logs/LogList';
import { dedupLines, isLogFrame, logLines } from '../../panels/logs/lines';
import { DataTable } from '../../panels/table/DataTable';
import { TimeSeriesPanel } from '../../panels/timeseries/TimeSeriesPanel';
import type { PanelProps } from '../../panels/types';
import { logHistogram } from './log-histogram';

export interface ExploreResultsProps {
  readonly results: readonly QueryResult[];
  readonly expr: string;
  readonly interval: number;
  readonly range: TimeRange;
  readonly time: TimeState;
  readonly onFilter: (label: string, value: string, operator: '=' | '!=') => void;
}

const STYLES = ['lines', 'bars', 'points', 'stacked'] as const;
type GraphStyle = (typeof STYLES)[number];

export function ExploreResults(props: ExploreResultsProps): ReactNode {
  const { results, expr } = props;
  const error = results.find((result) => result.error !== undefined)?.error;
  const frames = results.flatMap((result) => result.frames).filter((frame) => frame.length > 0);
  const isLogs = frames.some(isLogFrame);
  return (
    <>
      {error !== undefined && <ErrorNotice message={error} query={expr} title="The query failed" />}
      {frames.length === 0 && error === undefined && (
        <EmptyState title="No data">
          <p>The query returned nothing for this time range. A wider range or fewer matchers may help.</p>
        </EmptyState>
      )}
      {frames.length > 0 && (isLogs ? <Logs {...props} /> : <Metrics {...props} />)}
    </>
  );
}

function graphProps(
  { interval, range, time }: Pick<ExploreResultsProps, 'interval' | 'range' | 'time'>,
  theme: PanelProps['theme'],
  options: Record<string, unknown>,
): Omit<PanelProps, 'frames'> {
  const [panel] = parseDashboard({
    panels: [{ id: 1, type: 'timeseries', title: 'Result', options }],
    schemaVersion: 42,
  }).panels;
  if (panel === undefined) throw new Error('BUG: a dashboard of one panel has one');
  return {
    panel,
    width: 0,
    height: 0,
    range,
    zone: time.zone,
    theme,
    interval,
    lookup: stateLookup([], range),
    syncKey: 'explore',
    onZoom: time.setAbsolute,
    onZoomOut: time.zoomOut,
  };
}

function customOf(style: GraphStyle): Record<string, unknown> {
  return {
    drawStyle: style === 'bars' ? 'bars' : style === 'points' ? 'points' : 'line',
    fillOpacity: style === 'stacked' ? 25 : style === 'bars' ? 60 : 0,
    showPoints: 'auto',
    stacking: { mode: style === 'stacked' ? 'normal' : 'none', group: 'A' },
  };
}

function Metrics({ results, interval, range, time }: ExploreResultsProps): ReactNode {
  const { theme } = useTheme();
  const [style, setStyle] = useState<GraphStyle>('lines');
  const series = useMemo(() => {
    const frames = results
      .filter((result) => result.refId === 'A')
      .flatMap((result) => result.frames)
      .filter((frame) => timeField(frame) !== undefined && numberFields(frame).length > 0 && frame.length > 0);
    return applyFieldConfig(frames, {
      defaults: { color: { mode: 'palette-classic' }, unit: 'short', custom: customOf(style) },
      overrides: [],
    });
  }, [results, style]);
  const table = results.find((result) => result.refId === 'B')?.frames.find((frame) => frame.length > 0);
  const graph = useMemo(
    () =>
      graphProps({ interval, range, time }, theme, {
        legend: { displayMode: 'list', placement: 'bottom' },
        tooltip: { mode: 'multi', sort: 'desc' },
      }),
    [interval, range, time, theme],
  );
  return (
    <>
      {series.length > 0 && (
        <section aria-label="Graph" className="card explore-section">
          <header>
            <h2>Graph</h2>
            <div aria-label="Graph style" className="group" role="group">
              {STYLES.map((item) => (
                <button
                  aria-pressed={item === style}
                  className="button"
                  key={item}
                  onClick={() => setStyle(item)}
                  type="button"
                >
                  {item}
                </button>
              ))}
            </div>
          </header>
          <div className="explore-graph">
            <TimeSeriesPanel {...graph} frames={series} />
          </div>
        </section>
      )}
      {table !== undefined && (
        <section aria-label="Table" className="card explore-section">
          <header>
            <h2>Table</h2>
            <span className="muted">{table.length === 1 ? '1 row' : `${table.length} rows`}</span>
          </header>
          <div className="explore-table" style={{ height: Math.min(table.length * 32 + 36, 420) }}>
            <DataTable frame={table} name="Result" theme={theme} zone={time.zone} />
          </div>
        </section>
      )}
    </>
  );
}

function Logs({ results, range, time, onFilter }: ExploreResultsProps): ReactNode {
  const { theme } = useTheme();
  const [wrap, setWrap] = useState(false);
  const [showTime, setShowTime] = useState(true);
  const [showLabels, setShowLabels] = useState(false);
  const [pretty, setPretty] = useState(false);
  const [oldestFirst, setOldestFirst] = useState(false);
  const [dedup, setDedup] = useState<'none' | 'exact' | 'numbers' | 'signature'>('none');
  const all = useMemo(() => logLines(results.flatMap((result) => result.frames.filter(isLogFrame))), [results]);
  const histogram = useMemo(() => logHistogram(all, range), [all, range]);
  const lines = useMemo(() => dedupLines(oldestFirst ? [...all].reverse() : all, dedup), [all, oldestFirst, dedup]);
  const graph = useMemo(
    () =>
      graphProps({ interval: histogram.interval, range, time }, theme, {
        legend: { displayMode: 'list', placement: 'bottom', calcs: ['sum'] },
      }),
    [range, time, histogram.interval, theme],
  );
  const switches: readonly (readonly [string, boolean, (on: boolean) => void])[] = [
    ['Time', showTime, setShowTime],
    ['Labels', showLabels, setShowLabels],
    ['Wrap', wrap, setWrap],
    ['Prettify', pretty, setPretty],
    ['Oldest first', oldestFirst, setOldestFirst],
  ];
  return (
    <>
      <section aria-label="Lines by level" className="card explore-section">
        <header>
          <h2>Lines by level</h2>
          <span className="muted">of the {all.length} lines shown</span>
        </header>
        <div className="explore-histogram">
          <TimeSeriesPanel {...graph} frames={histogram.frames} />
        </div>
      </section>
      <section aria-label="Logs" className="card explore-section">
        <header>
          <h2>Logs</h2>
          <div aria-label="Log display" className="explore-switches" role="group">
            {switches.map(([label, on, set]) => (
              <button aria-pressed={on} className="tag" key={label} onClick={() => set(!on)} type="button">
                {label}
              </button>
            ))}
            <label className="explore-dedup">
              <span className="muted">Dedup</span>
              <select
                className="select"
                onChange={(event) =>
                  setDedup(oneOf(event.target.value, ['none', 'exact', 'numbers', 'signature'], 'none'))
                }
                value={dedup}
              >
                <option value="none">none</option>
                <option value="exact">exact</option>
                <option value="numbers">numbers</option>
                <option value="signature">signature</option>
              </select>
            </label>
          </div>
        </header>
        <div className="explore-logs">
          <LogList
            details
            lines={lines}
            onFilter={onFilter}
            pretty={pretty}
            showLabels={showLabels}
            showTime={showTime}
            wrap={wrap || pretty}
            zone={time.zone}
          />
        </div>
      </section>
    </>
  );
}
