// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from "vitest";
import { Live, MAX_OF_ALL, MAX_OF_A_NAME } from "./live";
import type { TapioRecord } from "./types";

const record = (name: string, n: number): TapioRecord => ({ type: "event", name, time: "2026-11-26T08:00:00Z", id: `1.${n}` });

test("of one name the latest are kept", () => {
  const live = new Live();
  for (let i = 0; i < MAX_OF_A_NAME * 3; i++) live.add(record("a", i));
  expect(live.of("a").length).toBeLessThanOrEqual(MAX_OF_A_NAME * 1.1);
  expect(live.of("a").at(-1)?.id).toBe(`1.${MAX_OF_A_NAME * 3 - 1}`);
  expect(live.received).toBe(MAX_OF_A_NAME * 3);
  expect(live.forgotten + live.of("a").length).toBe(MAX_OF_A_NAME * 3);
});

test("however many names there are, all together are bounded, and the rare stay", () => {
  const live = new Live();
  live.add(record("rare", 0));
  for (let i = 0; i < MAX_OF_ALL * 2; i++) live.add(record(`name ${i % 8}`, i));
  const kept = [...live.names().values()].reduce((sum, n) => sum + n, 0);
  expect(kept).toBeLessThanOrEqual(MAX_OF_ALL * 1.1);
  expect(live.of("rare").length).toBe(1);
});

test("who looks is told a few times a second, not for each record", () => {
  vi.useFakeTimers();
  const live = new Live();
  let told = 0;
  const leave = live.look(() => told++);
  for (let i = 0; i < 1000; i++) live.add(record("a", i));
  vi.advanceTimersByTime(1000);
  expect(told).toBe(1);
  leave();
  live.add(record("a", 1));
  vi.advanceTimersByTime(1000);
  expect(told).toBe(1);
  vi.useRealTimers();
});
