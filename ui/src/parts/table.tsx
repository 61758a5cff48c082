// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { windowOf } from "./window";

export interface Column<Row> {
  head: string;
  help?: string;
  width: number; // in characters
  right?: boolean;
  cell: (row: Row) => ComponentChildren;
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row, index: number) => string | number;
  chosen?: string | number | null;
  choose?: (row: Row) => void; // Enter, or a click
  stayAtEnd?: boolean; // rows are added there, and followed while the end is in sight
  empty: ComponentChildren;
}

const ROW = 26; // pixels; as in style.css

// Draws what is in sight, so that ten thousand rows cost no more than fifty. By keyboard: arrows,
// Page Up and Down, Home, End, Enter.
export function Table<Row>({ label, columns, rows, keyOf, chosen, choose, stayAtEnd, empty }: Props<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const [cursor, setCursor] = useState(-1);
  const atEnd = useRef(true);

  const look = () => {
    const it = box.current;
    if (!it) return;
    atEnd.current = it.scrollTop + it.clientHeight > it.scrollHeight - ROW;
    setSight({ top: it.scrollTop, height: it.clientHeight });
  };
  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (stayAtEnd && atEnd.current) box.current!.scrollTop = box.current!.scrollHeight;
  });

  const move = (to: number) => {
    const index = Math.min(Math.max(0, to), rows.length - 1);
    setCursor(index);
    const it = box.current!;
    if (index * ROW < it.scrollTop) it.scrollTop = index * ROW;
    const low = (index + 2) * ROW; // one is the head
    if (low > it.scrollTop + it.clientHeight) it.scrollTop = low - it.clientHeight;
  };
  const page = Math.max(1, Math.floor(sight.height / ROW) - 2);
  const onKeyDown = (event: KeyboardEvent) => {
    const to: Record<string, number> = {
      ArrowDown: cursor + 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + page,
      PageUp: cursor - page,
      Home: 0,
      End: rows.length - 1,
    };
    const row = rows[cursor];
    if (event.key in to && rows.length > 0) move(to[event.key]!);
    else if (event.key === "Enter" && row && choose) choose(row);
    else return;
    event.preventDefault();
  };

  if (rows.length === 0) return <div class="table" ref={box}><p class="empty">{empty}</p></div>;
  const { first, end, above, below } = windowOf(rows.length, ROW, sight.top, sight.height);
  const width = columns.reduce((sum, column) => sum + column.width + 2, 0);
  return (
    <div class="table" ref={box} tabIndex={0} onScroll={look} onKeyDown={onKeyDown}>
      <table aria-label={label} aria-rowcount={rows.length + 1} style={{ minWidth: `${width}ch` }}>
        <colgroup>{columns.map((column) => <col style={{ width: `${column.width + 2}ch` }} />)}</colgroup>
        <thead>
          <tr>{columns.map((column) => <th scope="col" class={column.right ? "right" : ""} title={column.help}>{column.head}</th>)}</tr>
        </thead>
        <tbody>
          {above > 0 && <tr style={{ height: `${above}px` }} />}
          {rows.slice(first, end).map((row, i) => {
            const key = keyOf(row, first + i);
            return (
              <tr
                key={key}
                aria-rowindex={first + i + 2}
                aria-selected={chosen === key}
                class={`${first + i === cursor ? "cursor" : ""} ${choose ? "choosable" : ""}`}
                onClick={() => {
                  setCursor(first + i);
                  choose?.(row);
                }}
              >
                {columns.map((column) => <td class={column.right ? "right" : ""}>{column.cell(row)}</td>)}
              </tr>
            );
          })}
          {below > 0 && <tr style={{ height: `${below}px` }} />}
        </tbody>
      </table>
    </div>
  );
}
