// SPDX-License-Identifier: Apache-2.0
import type { Cgroup, Process } from "../types";

export interface Row {
  key: string;
  depth: number;
  process?: Process; // none: a group of them
  title: string;
  below: number; // how many stand under it, also when it is closed
  closed: boolean;
}

const byPid = (a: Process, b: Process) => a.pid - b.pid;

function childrenOf(processes: readonly Process[]): Map<string, Process[]> {
  const known = new Set(processes.map((process) => process.id));
  const children = new Map<string, Process[]>();
  for (const process of [...processes].sort(byPid)) {
    const parent = known.has(process.parent) && process.parent !== process.id ? process.parent : "";
    const list = children.get(parent);
    if (list) list.push(process);
    else children.set(parent, [process]);
  }
  return children;
}

// How many processes stand under each. Without recursion: what the kernel tells may be deep.
function countBelow(children: Map<string, Process[]>): Map<string, number> {
  const order: Process[] = []; // each behind its parent
  for (const todo = [...(children.get("") ?? [])]; todo.length > 0; ) {
    const process = todo.pop()!;
    order.push(process);
    todo.push(...(children.get(process.id) ?? []));
  }
  const below = new Map<string, number>();
  for (const process of order.reverse()) {
    const own = children.get(process.id) ?? [];
    below.set(process.id, own.reduce((sum, child) => sum + 1 + (below.get(child.id) ?? 0), 0));
  }
  return below;
}

// Who started whom, as lines.
export function tree(processes: readonly Process[], closed: ReadonlySet<string>, depth = 0): Row[] {
  const children = childrenOf(processes);
  const below = countBelow(children);
  const rows: Row[] = [];
  const todo = (children.get("") ?? []).map((process) => ({ process, depth })).reverse();
  while (todo.length > 0) {
    const { process, depth } = todo.pop()!;
    const isClosed = closed.has(process.id);
    rows.push({
      key: process.id,
      depth,
      process,
      title: process.name,
      below: below.get(process.id) ?? 0,
      closed: isClosed,
    });
    if (isClosed) continue;
    for (const child of [...(children.get(process.id) ?? [])].reverse())
      todo.push({ process: child, depth: depth + 1 });
  }
  return rows;
}

// What a cgroup belongs to, in words: a container, a unit of systemd, or the cgroup itself.
export function placeOf(cgroup: Cgroup | undefined): { key: string; title: string } {
  if (!cgroup) return { key: "?", title: "cgroup not known" };
  if (cgroup.container) {
    const pod = cgroup.pod ? ` · pod ${cgroup.pod}` : "";
    return { key: cgroup.container, title: `${cgroup.runtime || "container"} ${cgroup.container.slice(0, 12)}${pod}` };
  }
  if (cgroup.unit) return { key: cgroup.unit, title: cgroup.unit };
  return { key: cgroup.path || "/", title: cgroup.path || "/" };
}

// The same by place: containers first, then units and cgroups.
export function byPlace(
  processes: readonly Process[],
  cgroups: readonly Cgroup[],
  closed: ReadonlySet<string>,
): Row[] {
  const known = new Map(cgroups.map((cgroup) => [cgroup.id, cgroup]));
  const places = new Map<string, { title: string; isContainer: boolean; processes: Process[] }>();
  for (const process of processes) {
    const cgroup = known.get(process.cgroup);
    const { key, title } = placeOf(cgroup);
    const place = places.get(key) ?? { title, isContainer: Boolean(cgroup?.container), processes: [] };
    place.processes.push(process);
    places.set(key, place);
  }
  const sorted = [...places].sort(
    ([, a], [, b]) => Number(b.isContainer) - Number(a.isContainer) || a.title.localeCompare(b.title),
  );
  return sorted.flatMap(([key, place]) => {
    const isClosed = closed.has(key);
    const row: Row = { key, depth: 0, title: place.title, below: place.processes.length, closed: isClosed };
    return isClosed ? [row] : [row, ...tree(place.processes, closed, 1)];
  });
}
