// SPDX-License-Identifier: Apache-2.0

// Which rows of a long list are drawn: those in sight and a few around them. All are equally high.
export interface Window {
  first: number;
  end: number; // behind the last
  above: number; // pixels
  below: number;
}

const AROUND = 10;

export function windowOf(rows: number, rowHeight: number, scrollTop: number, height: number): Window {
  // The list may have become shorter than where it was scrolled to.
  const top = Math.min(scrollTop, Math.max(0, rows * rowHeight - height));
  const first = Math.min(Math.max(0, Math.floor(top / rowHeight) - AROUND), rows);
  const end = Math.max(first, Math.min(rows, Math.ceil((top + height) / rowHeight) + AROUND));
  return { first, end, above: first * rowHeight, below: (rows - end) * rowHeight };
}
