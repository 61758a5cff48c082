// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import { count } from "../format";
import { useAsked } from "../hooks";
import { Answer } from "../parts/state";
import type { KernelProgram, Kernels as Known } from "../types";

export function Kernels() {
  return <Answer asked={useAsked<Known>("kernels")}>{(known) => <Shown known={known} />}</Answer>;
}

function Shown({ known }: { known: Known }) {
  const channels = [...new Set(known.kernels.flatMap((kernel) => kernel.programs.map((one) => one.channel)))];
  const [channel, setChannel] = useState(channels[0] ?? "");
  const rows = new Map<string, Map<string, KernelProgram>>();
  for (const kernel of known.kernels)
    for (const program of kernel.programs) {
      if (program.channel !== channel) continue;
      const key = `${program.observer} ${program.hook} ${program.program}`;
      const row = rows.get(key) ?? new Map<string, KernelProgram>();
      rows.set(key, row.set(kernel.name, program));
    }
  return (
    <>
      <div class="bar">
        <label>
          Channel{" "}
          <select value={channel} onChange={(event) => setChannel(event.currentTarget.value)}>
            {channels.map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </label>
      </div>
      <p class="note">What each program did on real kernels when this agent was built. In brackets: instructions that the verifier walked.</p>
      <div class="scroll">
        <table class="kernels">
          <thead>
            <tr>
              <th>OBSERVER</th><th>HOOK</th><th>PROGRAM</th>
              {known.kernels.map((kernel) => <th key={kernel.name} title={`${kernel.release} ${kernel.arch}, ${kernel.date}${kernel.emulated ? ", emulated" : ""}`}>{kernel.name}</th>)}
            </tr>
          </thead>
          <tbody>
            {[...rows].map(([key, row]) => (
              <tr key={key}>
                {key.split(" ").map((word, i) => (i === 0 ? <th key={i} scope="row">{word}</th> : <td key={i}>{word}</td>))}
                {known.kernels.map((kernel) => <Cell key={kernel.name} program={row.get(kernel.name)} />)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Cell({ program }: { program: KernelProgram | undefined }) {
  if (!program) return <td class="unsupported">not run</td>;
  return (
    <td class={program.state} title={program.reason ?? (program.ns ? `${count(program.ns)} ns a run` : "")}>
      {program.state}
      {program.verified ? <small> ({count(program.verified)})</small> : null}
    </td>
  );
}
