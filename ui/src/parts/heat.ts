// SPDX-License-Identifier: Apache-2.0

// How many values fell into which part of time and of size: columns are steps of time, rows are
// halves of a power of two, the smallest first.
export interface Heat {
  from: number; // milliseconds since the epoch, of the first column
  step: number; // milliseconds
  columns: number;
  lowest: number; // index of the first row: a value v is in row floor(2 log2(v)) - lowest
  rows: number;
  cells: Uint32Array; // column * rows + row
  most: number;
}

export interface Point {
  time: number;
  value: number;
}

const PER_POWER = 2;
const MAX_ROWS = 64;

const rowOf = (value: number) => Math.floor(PER_POWER * Math.log2(value));

// The lower edge of a row.
export function edge(heat: Heat, row: number): number {
  return 2 ** ((heat.lowest + row) / PER_POWER);
}

export function heatOf(points: readonly Point[], from: number, to: number, step: number): Heat {
  const inside = points.filter((p) => p.time >= from && p.time < to && p.value > 0);
  let low = Infinity;
  let high = -Infinity;
  for (const point of inside) {
    low = Math.min(low, rowOf(point.value));
    high = Math.max(high, rowOf(point.value));
  }
  const rows = inside.length > 0 ? Math.min(high - low + 1, MAX_ROWS) : 0;
  const lowest = high - rows + 1; // what is smaller counts in the first row
  const columns = Math.ceil((to - from) / step);
  const heat = { from, step, columns, lowest, rows, cells: new Uint32Array(columns * rows), most: 0 };
  for (const point of inside) {
    const at = Math.floor((point.time - from) / step) * rows + Math.max(0, rowOf(point.value) - lowest);
    const now = (heat.cells[at] ?? 0) + 1;
    heat.cells[at] = now;
    heat.most = Math.max(heat.most, now);
  }
  return heat;
}
