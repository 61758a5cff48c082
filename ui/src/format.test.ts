// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { bytes, duration, value } from "./format";

test("durations have the unit that reads best", () => {
  expect(duration(0.0000021)).toBe("2.1 µs");
  expect(duration(0.0123)).toBe("12.3 ms");
  expect(duration(5)).toBe("5 s");
  expect(duration(300)).toBe("5 min");
  expect(duration(0)).toBe("0");
});

test("bytes are in powers of 1024", () => {
  expect(bytes(1023)).toBe("1,023 B");
  expect(bytes(64 * 1024 * 1024)).toBe("64 MiB");
});

test("a value is written as its field says", () => {
  const field = { name: "x", help: "", column: "X" };
  expect(value(0.5, { ...field, type: "duration", unit: "s" })).toBe("500 ms");
  expect(value(2048, { ...field, type: "u64", unit: "By" })).toBe("2 KiB");
  expect(value(5353, { ...field, type: "u64", unit: "" })).toBe("5353");
  expect(value(["a", "b"])).toBe("a, b");
  expect(value(null)).toBe("");
});
