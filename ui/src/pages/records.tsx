// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count, value } from "../format";
import { go, useAsked, useLive } from "../hooks";
import type { Live } from "../live";
import { columnsOf, matcher } from "../parts/columns";
import { Answer, Empty } from "../parts/state";
import { Table } from "../parts/table";
import type { Schema, TapioRecord } from "../types";

export function Records({ live, name }: { live: Live; name: string | null }) {
  const asked = useAsked<{ schemas: Schema[] }>("schemas");
  return <Answer asked={asked}>{({ schemas }) => <Shown live={live} schemas={schemas} name={name} />}</Answer>;
}

function Shown({ live, schemas, name }: { live: Live; schemas: Schema[]; name: string | null }) {
  useLive(live);
  const names = live.names();
  const most = [...names].sort((a, b) => b[1] - a[1])[0]?.[0];
  const shown = schemas.find((schema) => schema.name === (name ?? most)) ?? schemas[0];
  const [filter, setFilter] = useState("");
  const [all, setAll] = useState(false);
  const [held, setHeld] = useState<readonly TapioRecord[] | null>(null);
  const [chosen, setChosen] = useState<TapioRecord | null>(null);
  const box = useFilterKey();
  useEffect(() => {
    setHeld(null);
    setChosen(null);
  }, [shown?.name]);

  const records = held ?? live.of(shown?.name ?? "");
  const rows = useMemo(() => {
    const passes = matcher(filter);
    return filter.trim() === "" ? records : records.filter(passes);
  }, [records, filter, live.version]);
  const columns = useMemo(() => (shown ? columnsOf(shown, all) : []), [shown, all]);
  if (!shown) return <Empty>The agent knows no records.</Empty>;

  return (
    <div class="records">
      <div class="bar">
        <label>
          Kind{" "}
          <select value={shown.name} onChange={(event) => go("records", { name: event.currentTarget.value })}>
            {schemas.map((schema) => (
              <option key={schema.name} value={schema.name}>
                {schema.name}{names.has(schema.name) ? ` (${count(names.get(schema.name)!)})` : ""}
              </option>
            ))}
          </select>
        </label>
        <label class="grow">
          Filter{" "}
          <input ref={box} type="search" value={filter} placeholder="words, or key=text" onInput={(event) => setFilter(event.currentTarget.value)} />
        </label>
        <label><input type="checkbox" checked={all} onChange={() => setAll(!all)} /> all fields</label>
        <button type="button" aria-pressed={held !== null} onClick={() => setHeld(held ? null : [...records])}>
          {held ? "Go on" : "Hold"}
        </button>
      </div>
      <p class="note">
        {shown.help} {count(rows.length)} of {count(records.length)} shown{held ? ", held" : ""}.
      </p>
      <div class={chosen ? "split wide" : "split whole"}>
        <Table
          label={shown.name}
          columns={columns}
          rows={rows}
          keyOf={(record, index) => record.id ?? index}
          chosen={chosen?.id ?? null}
          choose={setChosen}
          stayAtEnd={held === null}
          empty={records.length === 0 ? `No ${shown.name} so far.` : "No record passes the filter."}
        />
        {chosen && <Detail record={chosen} schema={shown} close={() => setChosen(null)} />}
      </div>
    </div>
  );
}

// "/" goes to the filter, as in a pager.
function useFilterKey() {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test((event.target as HTMLElement).tagName);
      if (event.key !== "/" || isTyping) return;
      event.preventDefault();
      box.current?.focus();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return box;
}

function Detail({ record, schema, close }: { record: TapioRecord; schema: Schema; close: () => void }) {
  const fields = new Map(schema.fields.map((field) => [field.name, field]));
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => event.key === "Escape" && close();
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [close]);
  return (
    <aside aria-label="The record">
      <button type="button" onClick={close}>Close</button>
      <dl class="fields">
        {Object.entries(record).map(([key, it]) => (
          <div key={key}>
            <dt title={fields.get(key)?.help}>{key}</dt>
            <dd>{value(it, fields.get(key))}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
