// A dashboard as the rest of the app knows it: typed, current, and free of pixels.

import type { FieldConfigSource } from '../lib/field/config';
import type { JsonObject } from '../lib/json';
import type { RawRange } from '../lib/time/range';

/** `uid` may hold a variable (`${ds}`); `undefined` means the default data source. */
export interface DataSourceRef {
  readonly type?: string;
  readonly uid?: string;
}

export interface Target {
  readonly refId: string;
  readonly hide: boolean;
  readonly datasource: DataSourceRef | undefined;
  readonly expr: string;
  readonly legendFormat: string;
  readonly format: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly interval: string;
  readonly intervalFactor: number;
  /** the target as the file has it, with what we do not read ourselves */
  readonly raw: JsonObject;
}

export interface Transformation {
  readonly id: string;
  readonly disabled: boolean;
  readonly options: JsonObject;
}

export interface GridPos {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Link {
  readonly title: string;
  readonly url: string;
  readonly type: 'link' | 'dashboards';
  readonly tags: readonly string[];
  readonly targetBlank: boolean;
  readonly includeVars: boolean;
  readonly keepTime: boolean;
}

export interface Panel {
  readonly id: number;
  /** unique on the page, also among the copies a repeat makes */
  readonly key: string;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly transparent: boolean;
  readonly gridPos: GridPos;
  readonly datasource: DataSourceRef | undefined;
  readonly targets: readonly Target[];
  readonly options: JsonObject;
  readonly fieldConfig: FieldConfigSource;
  readonly transformations: readonly Transformation[];
  readonly links: readonly Link[];
  readonly interval: string;
  readonly maxDataPoints: number | undefined;
  readonly timeFrom: string;
  readonly timeShift: string;
  readonly repeat: string;
  readonly repeatDirection: 'h' | 'v';
  readonly maxPerRow: number;
  /** variable values that hold in this copy alone */
  readonly scope: ReadonlyMap<string, ScopedValue>;
  /** rows only */
  readonly collapsed: boolean;
  readonly panels: readonly Panel[];
}

export interface ScopedValue {
  readonly value: string;
  readonly text: string;
}

export type VariableType = 'query' | 'custom' | 'constant' | 'textbox' | 'interval' | 'datasource' | 'other';

export interface VariableOption {
  readonly text: string;
  readonly value: string;
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly type: VariableType;
  /** the words of the file, for kinds we do not know */
  readonly kind: string;
  readonly query: string;
  readonly datasource: DataSourceRef | undefined;
  readonly regex: string;
  readonly sort: number;
  readonly refresh: number;
  readonly hide: number;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue: string;
  readonly skipUrlSync: boolean;
  readonly current: readonly string[];
  readonly options: readonly VariableOption[];
  readonly auto: boolean;
  readonly autoCount: number;
  readonly autoMin: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly time: RawRange;
  readonly refresh: string;
  readonly refreshIntervals: readonly string[];
  readonly timezone: string;
  /** 0 off, 1 shared crosshair, 2 shared tooltip */
  readonly graphTooltip: number;
  readonly panels: readonly Panel[];
  readonly variables: readonly Variable[];
  readonly links: readonly Link[];
}

/** What a variable with every value chosen is stored as. */
export const ALL_VALUE = '$__all';
