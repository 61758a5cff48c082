// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, duration, timeOfDay, value } from "../format";
import { go, useAsked, useLive } from "../hooks";
import type { Live } from "../live";
import { edge, heatOf, type Heat, type Point } from "../parts/heat";
import { Answer, Empty } from "../parts/state";
import type { Field, Schema, TapioRecord } from "../types";

// Any event with a duration can be looked at; lookups come first.
const FIRST = "dns.query";
const MINUTES = [2, 10, 60];
const COLUMNS = 120;

const durationsOf = (schema: Schema) => schema.fields.filter((field) => field.type === "duration" && field.column);
const textsOf = (schema: Schema) => schema.fields.filter((field) => field.type === "text" && field.column);

export function Latency({ live, name }: { live: Live; name: string | null }) {
  const asked = useAsked<{ schemas: Schema[] }>("schemas");
  return (
    <Answer asked={asked}>
      {({ schemas }) => {
        const fit = schemas.filter((schema) => schema.type === "event" && durationsOf(schema).length > 0);
        const shown = fit.find((schema) => schema.name === (name ?? FIRST)) ?? fit[0];
        return shown ? <Shown key={shown.name} live={live} schemas={fit} schema={shown} /> : <Empty>No observer measures durations.</Empty>;
      }}
    </Answer>
  );
}

function Shown({ live, schemas, schema }: { live: Live; schemas: Schema[]; schema: Schema }) {
  useLive(live);
  const [minutes, setMinutes] = useState(10);
  const [group, setGroup] = useState<string>(schema.fields.some((f) => f.name === "server.address") ? "server.address" : "");
  const [only, setOnly] = useState("");
  const field = durationsOf(schema)[0]!;
  const records = live.of(schema.name);
  const groups = useMemo(() => groupsOf(records, group), [records, group, live.version]);
  const heat = useMemo(() => {
    const to = Date.now();
    const step = (minutes * 60_000) / COLUMNS;
    const from = Math.floor((to - minutes * 60_000) / step) * step;
    return heatOf(pointsOf(records, field, group, only), from, to, step);
  }, [records, field, group, only, minutes, live.version]);
  return (
    <div class="records">
      <div class="bar">
        <label>
          Kind{" "}
          <select value={schema.name} onChange={(event) => go("latency", { name: event.currentTarget.value })}>
            {schemas.map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        </label>
        <label>
          By{" "}
          <select value={group} onChange={(event) => { setGroup(event.currentTarget.value); setOnly(""); }}>
            <option value="">nothing</option>
            <option value="process.executable.name">process</option>
            <option value="container.id">container</option>
            {[...textsOf(schema), ...schema.fields.filter((f) => f.name === "server.address" && !f.column)].map((one) => (
              <option key={one.name} value={one.name}>{one.column || one.name}</option>
            ))}
          </select>
        </label>
        {group && (
          <label>
            Only{" "}
            <select value={only} onChange={(event) => setOnly(event.currentTarget.value)}>
              <option value="">all</option>
              {groups.map(([name, number]) => <option key={name} value={name}>{name} ({count(number)})</option>)}
            </select>
          </label>
        )}
        <label>
          Last{" "}
          <select value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
            {MINUTES.map((one) => <option key={one} value={one}>{one} min</option>)}
          </select>
        </label>
      </div>
      <p class="note">{field.name}: {field.help} Of the {count(records.length)} latest records that this page has.</p>
      {heat.most === 0 ? <Empty>No {schema.name} in this time.</Empty> : <HeatMap heat={heat} label={`${field.name} of ${schema.name}`} />}
    </div>
  );
}

const MAX_GROUPS = 50;

function groupsOf(records: readonly TapioRecord[], group: string): [string, number][] {
  if (!group) return [];
  const counts = new Map<string, number>();
  for (const record of records) {
    const name = value(record[group]);
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, MAX_GROUPS);
}

function pointsOf(records: readonly TapioRecord[], field: Field, group: string, only: string): Point[] {
  const points: Point[] = [];
  for (const record of records) {
    const it = record[field.name];
    if (typeof it !== "number" || (only && value(record[group]) !== only)) continue;
    points.push({ time: new Date(record.time).getTime(), value: it });
  }
  return points;
}

const LEFT = 64;
const BOTTOM = 20;
const ROW = 16;

function HeatMap({ heat, label }: { heat: Heat; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(800);
  const [at, setAt] = useState<{ column: number; row: number } | null>(null);
  const height = heat.rows * ROW + BOTTOM;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.floor(entry!.contentRect.width))));
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => draw(canvas.current!, heat, width, height), [heat, width, height]);
  const point = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left - LEFT) / (width - LEFT)) * heat.columns);
    const row = heat.rows - 1 - Math.floor((event.clientY - box.top) / ROW);
    setAt(column >= 0 && column < heat.columns && row >= 0 && row < heat.rows ? { column, row } : null);
  };
  return (
    <figure>
      <canvas ref={canvas} role="img" aria-label={label} style={{ width: `${width}px`, height: `${height}px` }} onMouseMove={point} onMouseLeave={() => setAt(null)} />
      <figcaption aria-live="polite">
        {at
          ? `${timeOfDay(new Date(heat.from + at.column * heat.step).toISOString())}, ${duration(edge(heat, at.row))} to ${duration(edge(heat, at.row + 1))}: ${count(heat.cells[at.column * heat.rows + at.row] ?? 0)}`
          : `The fullest cell has ${count(heat.most)}; each is ${duration(heat.step / 1000)} wide.`}
      </figcaption>
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement, heat: Heat, width: number, height: number) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const cell = (width - LEFT) / heat.columns;
  context.fillStyle = style.outlineColor;
  for (let column = 0; column < heat.columns; column++)
    for (let row = 0; row < heat.rows; row++) {
      const number = heat.cells[column * heat.rows + row] ?? 0;
      if (number === 0) continue;
      context.globalAlpha = 0.15 + (0.85 * Math.log1p(number)) / Math.log1p(heat.most);
      context.fillRect(LEFT + column * cell, (heat.rows - 1 - row) * ROW, Math.max(cell - 0.5, 1), ROW - 1);
    }
  context.globalAlpha = 1;
  context.fillStyle = style.color;
  context.font = `11px ${style.fontFamily}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let row = 0; row < heat.rows; row += 2)
    context.fillText(duration(edge(heat, row)), LEFT - 6, (heat.rows - row) * ROW - 1);
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(timeOfDay(new Date(heat.from).toISOString()).slice(0, 8), LEFT, height);
  context.textAlign = "right";
  context.fillText(timeOfDay(new Date(heat.from + heat.columns * heat.step).toISOString()).slice(0, 8), width, height);
}
