// Legend and tooltip settings, the same in every chart.

import { asBoolean, asNumber, asObject, asStrings, oneOf, type JsonObject } from '../../lib/json';

export interface LegendOptions {
  readonly show: boolean;
  readonly mode: 'list' | 'table';
  readonly placement: 'bottom' | 'right';
  readonly calcs: readonly string[];
  readonly width: number | undefined;
}

export function parseLegendOptions(options: JsonObject): LegendOptions {
  const legend = asObject(options['legend']);
  return {
    show: asBoolean(legend['showLegend'], true),
    mode: oneOf(legend['displayMode'], ['list', 'table'], 'list'),
    placement: oneOf(legend['placement'], ['bottom', 'right'], 'bottom'),
    calcs: asStrings(legend['calcs']),
    width: asNumber(legend['width']),
  };
}

export interface TooltipOptions {
  readonly mode: 'single' | 'multi' | 'none';
  readonly sort: 'none' | 'asc' | 'desc';
}

export function parseTooltipOptions(options: JsonObject): TooltipOptions {
  const tooltip = asObject(options['tooltip']);
  return {
    mode: oneOf(tooltip['mode'], ['single', 'multi', 'none'], 'multi'),
    sort: oneOf(tooltip['sort'], ['none', 'asc', 'desc'], 'desc'),
  };
}
