// SPDX-License-Identifier: Apache-2.0
import type { Field, Value } from "./types";

const rounded = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat("en");

export function count(number: number): string {
  return whole.format(number);
}

export function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0";
  if (size < 1e-3) return `${rounded.format(seconds * 1e6)} µs`;
  if (size < 1) return `${rounded.format(seconds * 1e3)} ms`;
  if (size < 120) return `${rounded.format(seconds)} s`;
  if (size < 7200) return `${rounded.format(seconds / 60)} min`;
  if (size < 172_800) return `${rounded.format(seconds / 3600)} h`;
  return `${rounded.format(seconds / 86_400)} d`;
}

export function bytes(number: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  if (Math.abs(number) < 1024) return `${whole.format(number)} B`;
  let unit = 0;
  for (; Math.abs(number) >= 1024 && unit < units.length - 1; unit++) number /= 1024;
  return `${rounded.format(number)} ${units[unit]}`;
}

// In the reader's zone, to the millisecond.
export function timeOfDay(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const two = (n: number) => String(n).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

export function ago(time: string, now = Date.now()): string {
  return `${duration(Math.max(0, Math.round((now - new Date(time).getTime()) / 1000)))} ago`;
}

export function value(value: Value | undefined, field?: Field): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "number") {
    if (field?.type === "duration" || field?.unit === "s") return duration(value);
    if (field?.unit === "By") return bytes(value);
    return field?.unit ? count(value) : String(value); // without one it is a name: a port, an id
  }
  if (field?.type === "time" && typeof value === "string") return timeOfDay(value);
  return String(value);
}
