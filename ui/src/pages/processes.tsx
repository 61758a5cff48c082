// SPDX-License-Identifier: Apache-2.0
import { useMemo, useState } from "preact/hooks";
import { ago, count } from "../format";
import { useAsked } from "../hooks";
import { Answer } from "../parts/state";
import { Table, type Column } from "../parts/table";
import { byPlace, tree, type Row } from "../parts/tree";
import type { Process, Processes as Known } from "../types";

export function Processes() {
  const asked = useAsked<Known>("processes", 3000);
  return <Answer asked={asked}>{(data) => <Shown known={data} />}</Answer>;
}

function Shown({ known }: { known: Known }) {
  const [places, setPlaces] = useState(true);
  const [filter, setFilter] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => {
    const processes = filter.trim() ? withAncestors(known.processes, filter) : known.processes;
    return places ? byPlace(processes, known.cgroups, closed) : tree(processes, closed);
  }, [known, places, filter, closed]);
  const turn = (row: Row) => {
    if (row.below === 0) return;
    const next = new Set(closed);
    if (!next.delete(row.key)) next.add(row.key);
    setClosed(next);
  };
  return (
    <div class="records">
      <div class="bar">
        <div role="group" aria-label="Order">
          <button type="button" aria-pressed={places} onClick={() => setPlaces(true)}>By container</button>
          <button type="button" aria-pressed={!places} onClick={() => setPlaces(false)}>Tree</button>
        </div>
        <label class="grow">
          Filter <input type="search" value={filter} placeholder="name, pid or command" onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
      </div>
      <p class="note">
        {count(known.processes.length)} processes in {count(known.cgroups.length)} cgroups
        {known.left_out > 0 ? `; ${count(known.left_out)} more are left out` : ""}. Enter or a click opens and closes.
      </p>
      <Table label="Processes" columns={COLUMNS} rows={rows} keyOf={(row) => row.key} choose={turn} empty="No process is that." />
    </div>
  );
}

const COLUMNS: Column<Row>[] = [
  {
    head: "PROCESS",
    width: 44,
    cell: (row) => (
      <span style={{ paddingLeft: `${row.depth * 1.6}ch` }} class={row.process ? "" : "place"}>
        <span class="turn" aria-hidden="true">{row.below === 0 ? "" : row.closed ? "▸" : "▾"}</span>
        {row.title}
        {row.below > 0 && <small> {count(row.below)}</small>}
      </span>
    ),
  },
  { head: "PID", width: 8, right: true, cell: (row) => row.process?.pid ?? "" },
  { head: "SINCE", width: 12, cell: (row) => (row.process?.since ? ago(row.process.since) : "") },
  { head: "COMMAND", width: 60, cell: (row) => row.process?.command ?? "" },
];

// Those that are meant, and who stands above them.
function withAncestors(processes: readonly Process[], filter: string): Process[] {
  const wanted = filter.trim().toLowerCase();
  const byId = new Map(processes.map((process) => [process.id, process]));
  const shown = new Set<string>();
  for (const process of processes) {
    if (!`${process.pid} ${process.name} ${process.command}`.toLowerCase().includes(wanted)) continue;
    for (let it: Process | undefined = process; it && !shown.has(it.id); it = byId.get(it.parent)) shown.add(it.id);
  }
  return processes.filter((process) => shown.has(process.id));
}
