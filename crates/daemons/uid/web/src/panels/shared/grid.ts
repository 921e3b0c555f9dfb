// How to divide a box among several equal values.

export interface Cells {
  readonly columns: number;
  readonly rows: number;
}

/** The division whose cells come closest to `aspect` (width : height). */
export function divide(count: number, width: number, height: number, orientation: string, aspect = 2.2): Cells {
  if (orientation === 'vertical') return { columns: count, rows: 1 };
  if (orientation === 'horizontal') return { columns: 1, rows: count };
  let best: Cells = { columns: 1, rows: Math.max(count, 1) };
  let worst = Infinity;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const shape = width / columns / (height / rows);
    const off = Math.abs(Math.log(shape / aspect)) + (columns * rows - count) * 0.15;
    if (off < worst) {
      worst = off;
      best = { columns, rows };
    }
  }
  return best;
}
