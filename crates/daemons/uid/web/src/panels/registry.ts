// Every panel type: one line each. A type's own code is loaded when the first panel of it appears.

import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import type { PanelProps } from './types';

export interface PanelType {
  readonly Component: LazyExoticComponent<ComponentType<PanelProps>>;
  /** draws query results, so that without any it says “No data” */
  readonly needsData: boolean;
}

function panel(load: () => Promise<ComponentType<PanelProps>>, needsData = true): PanelType {
  return { Component: lazy(async () => ({ default: await load() })), needsData };
}

const PANELS: Readonly<Record<string, PanelType>> = {
  timeseries: panel(async () => (await import('./timeseries/TimeSeriesPanel')).TimeSeriesPanel),
  stat: panel(async () => (await import('./stat/StatPanel')).StatPanel),
  gauge: panel(async () => (await import('./gauge/GaugePanel')).GaugePanel),
  bargauge: panel(async () => (await import('./bargauge/BarGaugePanel')).BarGaugePanel),
  piechart: panel(async () => (await import('./piechart/PieChartPanel')).PieChartPanel),
  table: panel(async () => (await import('./table/TablePanel')).TablePanel),
  logs: panel(async () => (await import('./logs/LogsPanel')).LogsPanel),
  text: panel(async () => (await import('./text/TextPanel')).TextPanel, false),
};

export function findPanelType(type: string): PanelType | undefined {
  return Object.hasOwn(PANELS, type) ? PANELS[type] : undefined;
}
