// SPDX-License-Identifier: Apache-2.0
// What the agent tells, as docs/json.md and docs/http.md have it.

export type Value = string | number | boolean | null | string[];

export interface TapioRecord {
  type: "event" | "metric" | "finding" | "story" | "gap";
  name: string;
  time: string;
  id?: string; // gaps have none
  [key: string]: Value | undefined;
}

export interface Field {
  name: string;
  type: "boolean" | "i64" | "u64" | "f64" | "duration" | "time" | "text" | "texts";
  help: string;
  column: string; // "": not among the main ones
  unit: string;
}

export interface Schema {
  name: string;
  type: TapioRecord["type"];
  help: string;
  fields: Field[];
}

export interface Story {
  id: string;
  time: string;
  title: string;
  entity: string;
  cause: { kind: string; entity: string; detail: string };
  confidence: number;
  chain: string[];
  evidence: string[];
  rule: string;
  severity: string;
  "process.pid"?: number;
  changes: string[];
  impact: string[];
  missing: string[];
  revision: number;
}

export type Health = "healthy" | "degraded" | "unhealthy" | "off";

export interface Status {
  version: string;
  pid: number;
  uptime_seconds: number;
  start: { attached_ms: number; seeded: boolean; missing: string[] };
  observers: {
    name: string;
    state: string;
    reason: string;
    counters: Record<string, number>;
    health: Health;
    why: string[];
  }[];
  hooks: { name: string; observer: string; program: string; canary: string }[];
  ledger: {
    residue: number;
    malformed_headers: number;
    rows: { observer: string; hook: string; [count: string]: string | number }[];
    observers: { name: string; read: number; handled: number; records: Record<string, { emitted: number }> }[];
  };
  loss: { observer: string; class: string; stage: string; reason: string; count: number }[];
  memory: { rss_bytes: number; ring_bytes: number; map_bytes: number };
  cost: { cpu_ms: number };
  sinks: { name: string; offered: number; sent: number; dropped: number; pending: number }[];
  processes: { live: number; exited: number; evicted: number };
  cgroups: { live: number; removed: number; evicted: number };
  stories: { told: number; suppressed: number };
  redaction: { replaced: number };
}

export interface Process {
  id: string;
  pid: number;
  parent: string; // its id; "": not known
  name: string;
  command: string; // "": not known, or a kernel thread
  since: string; // "": not known
  cgroup: string;
}

export interface Cgroup {
  id: string;
  path: string;
  container: string;
  runtime: string;
  pod: string;
  unit: string;
}

export interface Processes {
  processes: Process[];
  cgroups: Cgroup[];
  left_out: number;
}

export interface KernelProgram {
  channel: string;
  observer: string;
  hook: string;
  program: string;
  state: string;
  reason?: string;
  verified?: number;
  ns?: number;
}

export interface Kernels {
  kernels: {
    name: string;
    release: string;
    arch: string;
    emulated: boolean;
    date: string;
    programs: KernelProgram[];
  }[];
}
