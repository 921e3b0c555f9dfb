// The legend: a list under the chart, or a table with calculations. A click shows one series alone, Ctrl-click one less.

import { useState, type MouseEvent, type ReactNode } from 'react';
import { formatNumber } from '../../lib/field/display';
import { findReducer, reduceNumber } from '../../lib/field/reducers';
import type { TimeZone } from '../../lib/time/zone';
import type { LegendOptions } from '../shared/legend-options';
import type { Series } from './series';

export interface ChartLegendProps {
  readonly series: readonly Series[];
  readonly options: LegendOptions;
  readonly hidden: ReadonlySet<string>;
  readonly zone: TimeZone;
  readonly onToggle: (name: string, alone: boolean) => void;
  readonly onHighlight: (name: string | undefined) => void;
}

/** What is hidden after a click: everything else, or – when it stood alone already – nothing. */
export function toggleSeries(
  hidden: ReadonlySet<string>,
  names: readonly string[],
  name: string,
  alone: boolean,
): ReadonlySet<string> {
  if (!alone) {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    return next.size === names.length ? new Set() : next;
  }
  const isAlone = !hidden.has(name) && names.every((other) => other === name || hidden.has(other));
  return isAlone ? new Set() : new Set(names.filter((other) => other !== name));
}

export function ChartLegend(props: ChartLegendProps): ReactNode {
  const shown = props.series.filter((series) => !series.style.hideLegend);
  return props.options.mode === 'table' ? (
    <LegendTable {...props} series={shown} />
  ) : (
    <LegendList {...props} series={shown} />
  );
}

function LegendName({
  series,
  hidden,
  onToggle,
  onHighlight,
}: Omit<ChartLegendProps, 'series' | 'options' | 'zone'> & { readonly series: Series }): ReactNode {
  const off = hidden.has(series.name);
  return (
    <button
      aria-label={`Show only ${series.name}`}
      aria-pressed={!off}
      className={off ? 'legend-name is-off' : 'legend-name'}
      onBlur={() => onHighlight(undefined)}
      onClick={(event: MouseEvent) => onToggle(series.name, !(event.ctrlKey || event.metaKey || event.shiftKey))}
      onFocus={() => onHighlight(series.name)}
      onPointerEnter={() => onHighlight(series.name)}
      onPointerLeave={() => onHighlight(undefined)}
      title={series.name}
      type="button"
    >
      <span className="swatch" style={{ background: series.color }} />
      <span className="truncate">{series.name}</span>
    </button>
  );
}

function calculated(series: Series, calc: string, zone: TimeZone): string {
  const value = reduceNumber(series.field.values, calc);
  if (findReducer(calc)?.keepsUnit === false) return value === null ? '' : String(Math.round(value * 100) / 100);
  return formatNumber(series.field, value, zone);
}

function LegendList({ series, options, zone, ...rest }: ChartLegendProps): ReactNode {
  return (
    <ul aria-label="Legend" className="legend-list">
      {series.map((item) => (
        <li key={item.name}>
          <LegendName {...rest} series={item} />
          {options.calcs.map((calc) => (
            <span className="legend-calc" key={calc}>
              {findReducer(calc)?.name ?? calc}: {calculated(item, calc, zone)}
            </span>
          ))}
        </li>
      ))}
    </ul>
  );
}

function LegendTable({ series, options, zone, ...rest }: ChartLegendProps): ReactNode {
  const [sort, setSort] = useState<{ readonly calc: string; readonly descending: boolean }>();
  const ordered =
    sort === undefined
      ? series
      : [...series].sort((a, b) => {
          if (sort.calc === '') return (sort.descending ? -1 : 1) * a.name.localeCompare(b.name);
          const [x, y] = [reduceNumber(a.field.values, sort.calc), reduceNumber(b.field.values, sort.calc)];
          return (sort.descending ? -1 : 1) * ((x ?? -Infinity) - (y ?? -Infinity));
        });
  const heading = (calc: string, label: string): ReactNode => (
    <th
      aria-sort={sort?.calc === calc ? (sort.descending ? 'descending' : 'ascending') : 'none'}
      key={calc}
      scope="col"
    >
      <button
        onClick={() =>
          setSort(sort?.calc !== calc ? { calc, descending: calc !== '' } : { calc, descending: !sort.descending })
        }
        type="button"
      >
        {label}
        {sort?.calc === calc && <span aria-hidden="true">{sort.descending ? ' ↓' : ' ↑'}</span>}
      </button>
    </th>
  );
  return (
    <table aria-label="Legend" className="legend-table">
      <thead>
        <tr>
          {heading('', 'Name')}
          {options.calcs.map((calc) => heading(calc, findReducer(calc)?.name ?? calc))}
        </tr>
      </thead>
      <tbody>
        {ordered.map((item) => (
          <tr key={item.name}>
            <td>
              <LegendName {...rest} series={item} />
            </td>
            {options.calcs.map((calc) => (
              <td key={calc}>{calculated(item, calc, zone)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
