// SPDX-License-Identifier: Apache-2.0
// What happens on the node while the page is looked at: an agent, processes that die, lookups, and
// many containers. All of it is ours, and is gone when it ends.
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, look, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(100);
  }
}

// A name server of our own: it answers NXDOMAIN after 0 to 40 ms.
export async function nameServer() {
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const answer = Buffer.from(query);
    answer.writeUInt16BE(0x8183, 2);
    setTimeout(() => socket.send(answer, from.port, from.address), Math.random() ** 4 * 40);
  });
  await new Promise((done) => socket.bind(0, "127.0.0.1", done));
  return { port: socket.address().port, close: () => socket.close() };
}

export async function ask(port, name, id) {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const query = Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
  const socket = createSocket("udp4");
  await new Promise((done) => {
    socket.once("message", done);
    setTimeout(done, 2000).unref();
    socket.send(query, port, "127.0.0.1");
  });
  socket.close();
}

export async function agent(tapio, dnsPort) {
  const directory = mkdtempSync(join(tmpdir(), "tapio-page-"));
  const token = randomBytes(24).toString("hex");
  writeFileSync(join(directory, "token"), token, { mode: 0o600 });
  const settings = {
    "http.enabled": "true",
    "http.listen": "127.0.0.1:0",
    "http.token_file": join(directory, "token"),
    "http.recent": "64MiB",
    "sinks.store.path": join(directory, "store"),
    "observers.dns.enabled": "true",
    "observers.dns.ports": String(dnsPort),
    "observers.dns.rate_per_second": "0",
  };
  const arguments_ = Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const socket = join(directory, "sock");
  const child = spawn(tapio, ["run", "--socket", socket, ...arguments_], { stdio: ["ignore", "ignore", "inherit"] });
  const status = () => {
    try {
      return JSON.parse(execFileSync(tapio, ["status", "--json", "--socket", socket], { stdio: ["ignore", "pipe", "ignore"] }));
    } catch {
      return null;
    }
  };
  const { http } = await until("the agent", () => (child.exitCode === null && existsSync(socket) ? status() : null));
  return {
    url: `http://${http.address}/`,
    token,
    status,
    get: async (path) => (await fetch(`http://${http.address}/${path}`, { headers: { Authorization: `Bearer ${token}` } })).json(),
    async stop() {
      if (child.exitCode !== null) return;
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

// The demo, which lies beside the agent: how many of its incidents were told right, and wrong.
export async function play(tapio) {
  const demo = spawn(join(dirname(tapio), "tapio_demo"), ["--json"], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  demo.stdout.on("data", (text) => (said += text));
  await new Promise((done) => demo.once("close", done));
  return JSON.parse(said.trim().split("\n").at(-1));
}

// Cgroups that are named as Docker names those of containers, with a process in each.
export function containers(number) {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" "));
  const memory = mounts.find(([, , type, options]) => type === "cgroup" && options.split(",").includes("memory"));
  const unified = mounts.find(([, , type]) => type === "cgroup2");
  const parent = join((memory ?? unified)[1], "docker");
  const isOurs = !existsSync(parent);
  if (isOurs) mkdirSync(parent);
  const made = Array.from({ length: number }, () => {
    const path = join(parent, randomBytes(32).toString("hex"));
    mkdirSync(path);
    const child = spawn("sh", ["-c", `echo $$ > ${join(path, "cgroup.procs")}; exec sleep 600`], { stdio: "ignore" });
    return { path, child };
  });
  return {
    async remove() {
      await Promise.all(
        made.map(({ child }) => new Promise((done) => {
          child.once("exit", done);
          child.kill("SIGKILL");
        })),
      );
      for (const { path } of made) await until("an empty cgroup", () => { try { rmdirSync(path); return true; } catch { return !existsSync(path); } });
      if (isOurs) rmdirSync(parent);
    },
  };
}
