// The `custom` part of a time series' field configuration.

import type { FieldConfig } from '../../lib/field/config';
import { asArray, asBoolean, asNumber, asObject, asString, oneOf } from '../../lib/json';

export interface SeriesStyle {
  readonly draw: 'line' | 'bars' | 'points';
  readonly interpolation: 'linear' | 'smooth' | 'stepBefore' | 'stepAfter';
  readonly lineWidth: number;
  readonly dash: readonly number[];
  /** 0–100 */
  readonly fillOpacity: number;
  readonly gradient: boolean;
  readonly points: 'auto' | 'always' | 'never';
  readonly pointSize: number;
  /** `true`, `false`, or the widest gap in milliseconds to draw across */
  readonly spanNulls: boolean | number;
  readonly barAlignment: -1 | 0 | 1;
  readonly negative: boolean;
  readonly stacking: 'none' | 'normal' | 'percent';
  readonly stackGroup: string;
  readonly fillBelowTo: string;
  readonly axis: 'auto' | 'left' | 'right' | 'hidden';
  readonly axisLabel: string;
  readonly softMin: number | undefined;
  readonly softMax: number | undefined;
  readonly log: number | undefined;
  readonly centeredZero: boolean;
  readonly thresholds: string;
  readonly hideViz: boolean;
  readonly hideLegend: boolean;
  readonly hideTooltip: boolean;
}

export function parseStyle(config: FieldConfig): SeriesStyle {
  const custom = config.custom ?? {};
  const stacking = asObject(custom['stacking']);
  const hide = asObject(custom['hideFrom']);
  const scale = asObject(custom['scaleDistribution']);
  const line = asObject(custom['lineStyle']);
  const spanNulls = custom['spanNulls'];
  const alignment = asNumber(custom['barAlignment']) ?? 0;
  const dash = asArray(line['dash']).filter((item): item is number => typeof item === 'number');
  return {
    draw: oneOf(custom['drawStyle'], ['line', 'bars', 'points'], 'line'),
    interpolation: oneOf(custom['lineInterpolation'], ['linear', 'smooth', 'stepBefore', 'stepAfter'], 'linear'),
    lineWidth: asNumber(custom['lineWidth']) ?? 1,
    dash: line['fill'] === 'dash' ? (dash.length > 0 ? dash : [10, 10]) : line['fill'] === 'dot' ? [0, 10] : [],
    fillOpacity: asNumber(custom['fillOpacity']) ?? 0,
    gradient: custom['gradientMode'] === 'opacity',
    points: oneOf(custom['showPoints'], ['auto', 'always', 'never'], 'auto'),
    pointSize: asNumber(custom['pointSize']) ?? 5,
    spanNulls: typeof spanNulls === 'number' ? spanNulls : spanNulls === true,
    barAlignment: alignment < 0 ? -1 : alignment > 0 ? 1 : 0,
    negative: custom['transform'] === 'negative-Y',
    stacking: oneOf(stacking['mode'], ['none', 'normal', 'percent'], 'none'),
    stackGroup: asString(stacking['group'], 'A'),
    fillBelowTo: asString(custom['fillBelowTo']),
    axis: oneOf(custom['axisPlacement'], ['auto', 'left', 'right', 'hidden'], 'auto'),
    axisLabel: asString(custom['axisLabel']),
    softMin: asNumber(custom['axisSoftMin']),
    softMax: asNumber(custom['axisSoftMax']),
    log: scale['type'] === 'log' ? (asNumber(scale['log']) ?? 2) : undefined,
    centeredZero: asBoolean(custom['axisCenteredZero']),
    thresholds: asString(asObject(custom['thresholdsStyle'])['mode'], 'off'),
    hideViz: asBoolean(hide['viz']),
    hideLegend: asBoolean(hide['legend']),
    hideTooltip: asBoolean(hide['tooltip']),
  };
}
