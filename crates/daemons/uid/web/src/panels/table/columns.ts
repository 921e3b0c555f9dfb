// A frame as table columns: names, alignment, how each cell is drawn.

import type { DataFrame, Field } from '../../lib/data/frame';
import { displayProcessor, type DisplayValue } from '../../lib/field/display';
import { displayName, uniqueNames } from '../../lib/field/names';
import type { ThemeName } from '../../lib/field/palette';
import { asBoolean, asNumber, asObject, asString, oneOf } from '../../lib/json';
import type { TimeZone } from '../../lib/time/zone';
import { compareValues } from '../../lib/transform/rows';

export interface CellStyle {
  readonly kind: 'plain' | 'color-text' | 'color-background' | 'gauge';
  readonly gradient: boolean;
  readonly applyToRow: boolean;
}

export interface TableColumn {
  readonly name: string;
  readonly field: Field;
  readonly align: 'left' | 'center' | 'right';
  readonly width: number | undefined;
  readonly minWidth: number;
  /** share of the room left over */
  readonly grow: number;
  readonly cell: CellStyle;
  readonly display: (value: unknown) => DisplayValue;
}

const MINIMUM_WIDTHS: Readonly<Partial<Record<Field['type'], number>>> = { time: 184, string: 100 };

export function tableColumns(frame: DataFrame, theme: ThemeName, zone: TimeZone): TableColumn[] {
  const visible = frame.fields.filter(({ config }) => {
    const hide = config.custom?.['hideFrom'];
    return !asBoolean(config.custom?.['hidden']) && !asBoolean(asObject(hide)['viz']);
  });
  const names = uniqueNames(visible.map((field) => displayName(field, frame, [frame])));
  return visible.map((field, index) => {
    const custom = field.config.custom ?? {};
    const align = oneOf(custom['align'], ['auto', 'left', 'center', 'right'], 'auto');
    return {
      name: names[index] ?? field.name,
      field,
      align: align === 'auto' ? (field.type === 'number' ? 'right' : 'left') : align,
      width: asNumber(custom['width']),
      minWidth: asNumber(custom['minWidth']) ?? MINIMUM_WIDTHS[field.type] ?? 80,
      grow: field.name === 'Line' ? 4 : 1,
      cell: cellStyle(custom['cellOptions']),
      display: displayProcessor(field, { theme, zone, seriesIndex: index, name: names[index] ?? '' }),
    };
  });
}

function cellStyle(raw: unknown): CellStyle {
  const options = asObject(raw);
  const type = asString(options['type']);
  const kind = type === 'color-text' || type === 'color-background' || type === 'gauge' ? type : 'plain';
  return { kind, gradient: options['mode'] === 'gradient', applyToRow: asBoolean(options['applyToRow']) };
}

export interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

/** Row numbers in the order to show them. */
export function sortedRows(frame: DataFrame, columns: readonly TableColumn[], sorting: Sorting | undefined): number[] {
  const rows = Array.from({ length: frame.length }, (_, index) => index);
  const column = columns.find((item) => item.name === sorting?.column);
  if (sorting === undefined || column === undefined) return rows;
  const sign = sorting.descending ? -1 : 1;
  const { values } = column.field;
  return rows.sort((a, b) => sign * compareValues(values[a], values[b]) || a - b);
}

/** A third click on the same heading takes the sorting away. */
export function nextSorting(current: Sorting | undefined, column: string): Sorting | undefined {
  if (current?.column !== column) return { column, descending: false };
  return current.descending ? undefined : { column, descending: true };
}
