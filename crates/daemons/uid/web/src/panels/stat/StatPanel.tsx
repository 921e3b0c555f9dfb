// Big numbers, with a small line behind them.

import { useMemo, type ReactNode } from 'react';
import { displayText } from '../../lib/field/display';
import { readableOn } from '../../lib/field/palette';
import { asNumber, asObject, oneOf, type JsonObject } from '../../lib/json';
import type { TimeRange } from '../../lib/time/range';
import { fitFontSize } from '../shared/fit-text';
import { divide } from '../shared/grid';
import { panelValues, parseReduceOptions, type PanelValue } from '../shared/values';
import type { PanelProps } from '../types';
import { Sparkline } from './Sparkline';

interface StatOptions {
  readonly color: 'none' | 'value' | 'background' | 'background_solid';
  readonly graph: 'none' | 'line' | 'area';
  readonly justify: 'auto' | 'center';
  readonly text: 'auto' | 'value' | 'value_and_name' | 'name' | 'none';
  readonly orientation: string;
  readonly titleSize: number | undefined;
  readonly valueSize: number | undefined;
}

const GAP = 4;

export function parseStatOptions(options: JsonObject): StatOptions {
  const text = asObject(options['text']);
  return {
    color: oneOf(options['colorMode'], ['none', 'value', 'background', 'background_solid'], 'value'),
    graph: oneOf(options['graphMode'], ['none', 'line', 'area'], 'area'),
    justify: oneOf(options['justifyMode'], ['auto', 'center'], 'auto'),
    text: oneOf(options['textMode'], ['auto', 'value', 'value_and_name', 'name', 'none'], 'auto'),
    orientation: oneOf(options['orientation'], ['auto', 'horizontal', 'vertical'], 'auto'),
    titleSize: asNumber(text['titleSize']),
    valueSize: asNumber(text['valueSize']),
  };
}

export function StatPanel({ panel, frames, width, height, range, zone, theme }: PanelProps): ReactNode {
  const options = useMemo(() => parseStatOptions(panel.options), [panel.options]);
  const values = useMemo(
    () => panelValues({ frames, options: parseReduceOptions(panel.options), theme, zone }),
    [frames, panel.options, theme, zone],
  );
  if (values.length === 0) return <p className="panel-message">No number field to show</p>;
  const cells = divide(values.length, width, height, options.orientation);
  const cell = {
    width: (width - GAP * (cells.columns - 1)) / cells.columns,
    height: (height - GAP * (cells.rows - 1)) / cells.rows,
  };
  return (
    <div
      className="stat-grid"
      style={{ gridTemplateColumns: `repeat(${cells.columns}, 1fr)`, gridAutoRows: `${cell.height}px`, gap: GAP }}
    >
      {values.map((item) => (
        <Stat
          alone={values.length === 1}
          height={cell.height}
          item={item}
          key={item.key}
          options={options}
          range={range}
          width={cell.width}
        />
      ))}
    </div>
  );
}

interface StatProps {
  readonly item: PanelValue;
  readonly options: StatOptions;
  readonly alone: boolean;
  readonly width: number;
  readonly height: number;
  readonly range: TimeRange;
}

function Stat({ item, options, alone, width, height, range }: StatProps): ReactNode {
  const { color } = item.value;
  const onBackground = options.color.startsWith('background');
  const ink = onBackground ? readableOn(color) : options.color === 'value' ? color : undefined;
  const background =
    options.color === 'background'
      ? `linear-gradient(120deg, ${color}, color-mix(in srgb, ${color} 78%, black))`
      : color;
  const withName = options.text === 'value_and_name' || options.text === 'name' || (options.text === 'auto' && !alone);
  const withValue = options.text !== 'name' && options.text !== 'none';
  const withGraph = options.graph !== 'none' && item.times.length > 1 && height > 50;
  const text = displayText(item.value);
  const room = { width: width - 16, height: height * (withName ? 0.42 : withGraph ? 0.5 : 0.8) };
  const valueSize = options.valueSize ?? fitFontSize({ text: text || '0', ...room, max: 64, min: 14, weight: 600 });
  const nameSize = options.titleSize ?? Math.min(Math.max(valueSize * 0.4, 12), 20);
  const centered = options.justify === 'center' || (options.justify === 'auto' && alone && !withGraph);
  return (
    <div
      className={`stat${centered ? ' is-centered' : ''}${withGraph ? ' has-graph' : ''}`}
      style={{ color: ink, ...(onBackground ? { background } : {}) }}
      title={`${item.name}: ${text}`}
    >
      {withGraph && (
        <Sparkline
          color={onBackground ? readableOn(color) : color}
          filled={options.graph === 'area'}
          height={Math.round(height * (withName ? 0.28 : 0.42))}
          range={range}
          times={item.times}
          values={item.field.values}
          width={width}
        />
      )}
      <div className="stat-text">
        {withName && (
          <span className="stat-name truncate" style={{ fontSize: nameSize }}>
            {item.name}
          </span>
        )}
        {withValue && (
          <span className="stat-value" style={{ fontSize: valueSize }}>
            {item.value.prefix}
            {item.value.text}
            {item.value.suffix !== undefined && <small>{item.value.suffix}</small>}
          </span>
        )}
      </div>
    </div>
  );
}
