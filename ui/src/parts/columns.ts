// SPDX-License-Identifier: Apache-2.0
import { timeOfDay, value } from "../format";
import type { Field, Schema, TapioRecord } from "../types";
import type { Column } from "./table";

const WHO: Column<TapioRecord>[] = [
  { head: "TIME", width: 12, cell: (r) => timeOfDay(r.time) },
  { head: "PID", width: 7, right: true, cell: (r) => value(r["process.pid"]) },
  { head: "PROCESS", width: 16, cell: (r) => value(r["process.executable.name"]) },
  { head: "WHERE", width: 18, cell: (r) => whereOf(r) },
];

// A container by the first digits of its id, else a unit, else the path of a cgroup.
export function whereOf(record: TapioRecord): string {
  const container = record["container.id"];
  if (typeof container === "string") return container.slice(0, 12);
  return value(record["systemd.unit"] ?? record["tapio.cgroup.path"]);
}

const isNumber = (field: Field) => ["i64", "u64", "f64", "duration"].includes(field.type);

const widthOf = (field: Field) => {
  if (isNumber(field) || field.type === "boolean") return Math.max(10, field.column.length);
  return field.type === "texts" || field.name.endsWith("summary") ? 48 : Math.max(22, field.column.length);
};

// A table of one kind of record, from its schema alone.
export function columnsOf(schema: Schema, all: boolean): Column<TapioRecord>[] {
  const fields = schema.fields.filter((field) => all || field.column !== "");
  return [
    ...WHO,
    ...fields.map((field) => ({
      head: field.column || field.name,
      help: `${field.name}: ${field.help}`,
      width: Math.max(widthOf(field), (field.column || field.name).length),
      right: isNumber(field),
      cell: (record: TapioRecord) => value(record[field.name], field),
    })),
  ];
}

// Each word has to be somewhere in the record. "key=text": in the value of a key with that end.
export function matcher(filter: string): (record: TapioRecord) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  const test = (word: string) => {
    const equals = word.indexOf("=");
    if (equals <= 0) return (record: TapioRecord) => JSON.stringify(record).toLowerCase().includes(word);
    const key = word.slice(0, equals);
    const wanted = word.slice(equals + 1);
    return (record: TapioRecord) =>
      Object.entries(record).some(
        ([name, it]) =>
          (name.toLowerCase() === key || name.toLowerCase().endsWith(`.${key}`)) &&
          value(it).toLowerCase().includes(wanted),
      );
  };
  const tests = words.map(test);
  return (record) => tests.every((passes) => passes(record));
}
