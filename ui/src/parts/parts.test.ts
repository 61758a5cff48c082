// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { Process, Schema, TapioRecord } from "../types";
import { columnsOf, matcher } from "./columns";
import { edge, heatOf } from "./heat";
import { byPlace, tree } from "./tree";
import { windowOf } from "./window";

test("of ten thousand rows those in sight are drawn, and the others are space", () => {
  const window = windowOf(10_000, 26, 26 * 5000, 520);
  expect(window.end - window.first).toBeLessThan(50);
  expect(window.above + window.below + (window.end - window.first) * 26).toBe(26 * 10_000);
  expect(windowOf(3, 26, 99_999, 520)).toEqual({ first: 0, end: 3, above: 0, below: 0 });
});

const record = (more: object): TapioRecord => ({ type: "event", name: "a.b", time: "2026-11-26T08:00:00Z", ...more });

test("a filter wants all of its words, wherever they are, or in one key", () => {
  const it = record({ "process.executable.name": "nginx", "server.port": 53 });
  expect(matcher("")(it)).toBe(true);
  expect(matcher("NGINX 53")(it)).toBe(true);
  expect(matcher("nginx apache")(it)).toBe(false);
  expect(matcher("port=53")(it)).toBe(true);
  expect(matcher("name=53")(it)).toBe(false);
});

test("columns of a kind that nobody knew come from its schema", () => {
  const schema: Schema = {
    name: "new.kind",
    type: "event",
    help: "",
    fields: [
      { name: "new.size", type: "u64", help: "How large.", column: "SIZE", unit: "By" },
      { name: "new.secondary", type: "text", help: "", column: "", unit: "" },
    ],
  };
  expect(columnsOf(schema, false).map((c) => c.head)).toEqual(["TIME", "PID", "PROCESS", "WHERE", "SIZE"]);
  expect(columnsOf(schema, true).at(-1)?.head).toBe("new.secondary");
  expect(columnsOf(schema, false).at(-1)?.cell(record({ "new.size": 1024 }))).toBe("1 KiB");
});

const process = (pid: number, parent: number, cgroup = "1"): Process => ({
  id: `x-${pid}`,
  pid,
  parent: parent ? `x-${parent}` : "",
  name: `p${pid}`,
  command: "",
  since: "",
  cgroup,
});

test("children stand under their parents, and who has none that is known stands alone", () => {
  const rows = tree([process(3, 2), process(1, 0), process(2, 1), process(9, 8)], new Set());
  expect(rows.map((row) => [row.title, row.depth, row.below])).toEqual([
    ["p1", 0, 2],
    ["p2", 1, 1],
    ["p3", 2, 0],
    ["p9", 0, 0],
  ]);
  expect(tree([process(1, 0), process(2, 1)], new Set(["x-1"])).length).toBe(1);
});

test("a line of parents as long as there are processes is no trouble", () => {
  const deep = Array.from({ length: 16_384 }, (_, i) => process(i + 1, i));
  expect(tree(deep, new Set()).at(-1)?.depth).toBe(16_383);
  expect(tree([process(7, 7)], new Set()).length).toBe(1);
});

test("by place, containers come first and their processes under them", () => {
  const cgroups = [
    { id: "1", path: "/system.slice/a.service", container: "", runtime: "", pod: "", unit: "a.service" },
    { id: "2", path: "/docker/x", container: "f".repeat(64), runtime: "docker", pod: "", unit: "" },
  ];
  const rows = byPlace([process(1, 0, "1"), process(2, 1, "2"), process(3, 0, "77")], cgroups, new Set());
  expect(rows.map((row) => row.title)).toEqual(["docker ffffffffffff", "p2", "a.service", "p1", "cgroup not known", "p3"]);
});

test("each value counts in the cell of its time and size", () => {
  const points = [
    { time: 1000, value: 0.001 },
    { time: 1001, value: 0.001 },
    { time: 5500, value: 0.5 },
    { time: 99_999, value: 1 },
    { time: 1000, value: 0 },
  ];
  const heat = heatOf(points, 0, 10_000, 1000);
  expect(heat.columns).toBe(10);
  expect(heat.most).toBe(2);
  expect(heat.cells.reduce((sum, n) => sum + n, 0)).toBe(3);
  expect(heat.cells[1 * heat.rows]).toBe(2);
  expect(heat.cells[5 * heat.rows + heat.rows - 1]).toBe(1);
  expect(edge(heat, 0)).toBeLessThanOrEqual(0.001);
  expect(edge(heat, 1)).toBeGreaterThan(0.001);
  expect(heatOf([], 0, 10, 1).most).toBe(0);
});
