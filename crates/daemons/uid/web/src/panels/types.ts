// What every panel type gets, and what it may ask back.

import type { Panel } from '../dashboard/model';
import type { Lookup } from '../dashboard/variables/interpolate';
import type { DataFrame } from '../lib/data/frame';
import type { ThemeName } from '../lib/field/palette';
import type { TimeRange } from '../lib/time/range';
import type { TimeZone } from '../lib/time/zone';

export interface PanelProps {
  readonly panel: Panel;
  /** transformed, with the field configuration applied */
  readonly frames: readonly DataFrame[];
  readonly width: number;
  readonly height: number;
  readonly range: TimeRange;
  readonly zone: TimeZone;
  readonly theme: ThemeName;
  /** milliseconds between points, as the query asked for */
  readonly interval: number;
  readonly lookup: Lookup;
  /** panels with the same key mark the same moment; empty for none */
  readonly syncKey: string;
  readonly onZoom: (range: TimeRange) => void;
  readonly onZoomOut: () => void;
  /** opens a query of this panel in Explore, with a filter added or taken out */
  readonly onFilter?: (label: string, value: string, operator: '=' | '!=') => void;
}
