// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "preact/hooks";
import { bytes, count, duration } from "../format";
import { useAsked, useRate } from "../hooks";
import { Answer, Badge, Empty } from "../parts/state";
import type { Status, Story } from "../types";
import { StoryLine } from "./stories";

const EVERY = 2000;

export function Overview() {
  const status = useAsked<Status>("status", EVERY);
  const stories = useAsked<{ stories: Story[] }>("stories?limit=5", EVERY);
  return (
    <>
      <Answer asked={status}>{(data) => <Node status={data} />}</Answer>
      <section>
        <h2>Latest stories</h2>
        <Answer asked={stories}>
          {(data) =>
            data.stories.length === 0 ? (
              <Empty>Nothing was found so far. Stories appear here when something dies, is killed or slows down.</Empty>
            ) : (
              <ul class="stories">{data.stories.map((story) => <StoryLine key={story.id} story={story} />)}</ul>
            )
          }
        </Answer>
      </section>
      {status.data && <Observers status={status.data} />}
      {status.data && <Losses status={status.data} />}
      {status.data && <Sinks status={status.data} />}
    </>
  );
}

function Tile({ name, value, note, bad }: { name: string; value: string; note?: string; bad?: boolean }) {
  return (
    <div class={`tile ${bad ? "bad" : ""}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
      {note && <small>{note}</small>}
    </div>
  );
}

// Of a status that was asked for a moment ago; rates are between two of them.
function useSeconds(status: Status) {
  return useMemo(() => performance.now() / 1000, [status]);
}

function Node({ status }: { status: Status }) {
  const seconds = useSeconds(status);
  const cpu = useRate(status.cost.cpu_ms / 1000, seconds);
  const events = useRate(status.ledger.observers.reduce((sum, one) => sum + one.read, 0), seconds);
  const lost = status.loss.reduce((sum, one) => sum + one.count, 0);
  const { rss_bytes, ring_bytes, map_bytes } = status.memory;
  return (
    <dl class="tiles">
      <Tile name="Agent" value={status.version} note={`pid ${status.pid}, up ${duration(status.uptime_seconds)}`} />
      <Tile name="Events" value={events === undefined ? "…" : `${count(Math.round(events))}/s`} note={`${count(status.processes.live)} processes known`} />
      <Tile name="CPU" value={cpu === undefined ? "…" : `${(cpu * 100).toFixed(1)} %`} note="of one, user space" />
      <Tile name="Memory" value={bytes(rss_bytes)} note={`and ${bytes(ring_bytes)} rings, ${bytes(map_bytes)} maps`} />
      <Tile name="Residue" value={count(status.ledger.residue)} note="of the ledger; 0: every event is accounted for" bad={status.ledger.residue !== 0} />
      <Tile name="Lost" value={count(lost)} note="records, each with its reason below" />
    </dl>
  );
}

function Observers({ status }: { status: Status }) {
  const read = new Map(status.ledger.observers.map((one) => [one.name, one.read]));
  return (
    <section>
      <h2>Observers</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr><th>NAME</th><th>HEALTH</th><th>STATE</th><th class="right">EVENTS</th><th>PROGRAMS</th><th>WHY</th></tr>
          </thead>
          <tbody>
            {status.observers.map((one) => (
              <tr key={one.name}>
                <th scope="row">{one.name}</th>
                <td><Badge kind={one.health}>{one.health}</Badge></td>
                <td>{one.state}</td>
                <td class="right">{read.has(one.name) ? count(read.get(one.name)!) : ""}</td>
                <td>
                  {status.hooks.filter((hook) => hook.observer === one.name).map((hook) => (
                    <span key={hook.name} class="hook" title={`${hook.program || "no program"}: ${hook.canary}`}>{hook.name}</span>
                  ))}
                </td>
                <td class="wrap">{one.why.map((why) => <div key={why}>{why}</div>)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {status.start.missing.length > 0 && (
        <>
          <h3>What cannot be seen here</h3>
          <ul>{status.start.missing.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
        </>
      )}
    </section>
  );
}

function Losses({ status }: { status: Status }) {
  return (
    <section>
      <h2>Losses</h2>
      {status.loss.length === 0 ? (
        <Empty>Nothing was lost, held back or sampled out.</Empty>
      ) : (
        <div class="scroll">
          <table>
            <thead><tr><th>OBSERVER</th><th>CLASS</th><th>STAGE</th><th>REASON</th><th class="right">COUNT</th></tr></thead>
            <tbody>
              {status.loss.map((one) => (
                <tr key={`${one.observer} ${one.class} ${one.stage} ${one.reason}`}>
                  <th scope="row">{one.observer}</th><td>{one.class}</td><td>{one.stage}</td><td>{one.reason}</td>
                  <td class="right">{count(one.count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Sinks({ status }: { status: Status }) {
  if (status.sinks.length === 0) return null;
  return (
    <section>
      <h2>Sinks</h2>
      <div class="scroll">
        <table>
          <thead><tr><th>NAME</th><th class="right">OFFERED</th><th class="right">SENT</th><th class="right">DROPPED</th><th class="right">PENDING</th></tr></thead>
          <tbody>
            {status.sinks.map((sink) => (
              <tr key={sink.name}>
                <th scope="row">{sink.name}</th>
                <td class="right">{count(sink.offered)}</td><td class="right">{count(sink.sent)}</td>
                <td class="right">{count(sink.dropped)}</td><td class="right">{count(sink.pending)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
