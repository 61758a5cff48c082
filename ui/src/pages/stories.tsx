// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "preact/hooks";
import { ApiError, get } from "../api";
import { ago, timeOfDay, value } from "../format";
import { go, useAsked } from "../hooks";
import { Answer, Badge, Empty } from "../parts/state";
import { TimeLine } from "../parts/timeline";
import type { Story, TapioRecord } from "../types";

export function StoryLine({ story, chosen }: { story: Story; chosen?: boolean }) {
  return (
    <li aria-current={chosen ? "true" : undefined}>
      <a href={`#stories?id=${encodeURIComponent(story.id)}`}>
        <Badge kind={story.severity}>{story.severity}</Badge>
        <span class="title">{story.title}</span>
        <time dateTime={story.time} title={story.time}>{ago(story.time)}</time>
      </a>
    </li>
  );
}

export function Stories({ id }: { id: string | null }) {
  const asked = useAsked<{ stories: Story[] }>("stories?limit=200", 2000);
  return (
    <Answer asked={asked}>
      {({ stories }) => {
        if (stories.length === 0)
          return <Empty>Nothing was found so far. Try <code>sh -c 'kill -9 $$'</code> on this node.</Empty>;
        const story = stories.find((one) => one.id === id) ?? (id === null ? stories[0] : undefined);
        return (
          <div class="split">
            <nav aria-label="Stories" onKeyDown={(event) => step(event, stories, story)}>
              <ul class="stories">{stories.map((one) => <StoryLine key={one.id} story={one} chosen={one === story} />)}</ul>
            </nav>
            {story ? <StoryDetail key={story.id + story.revision} story={story} /> : <Empty>This story is not kept any more.</Empty>}
          </div>
        );
      }}
    </Answer>
  );
}

function step(event: KeyboardEvent, stories: Story[], now: Story | undefined) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  const next = stories[stories.indexOf(now!) + by];
  if (!next) return;
  event.preventDefault();
  go("stories", { id: next.id });
  const links = (event.currentTarget as HTMLElement).querySelectorAll("a");
  links[stories.indexOf(next)]?.focus();
}

function List({ head, items }: { head: string; items: string[] }) {
  if (items.length === 0) return null;
  return (
    <>
      <h3>{head}</h3>
      <ul>{items.map((item) => <li key={item}>{item}</li>)}</ul>
    </>
  );
}

function StoryDetail({ story }: { story: Story }) {
  const evidence = useEvidence(story);
  return (
    <article class="story">
      <h2>{story.title}</h2>
      <p class="facts">
        <Badge kind={story.severity}>{story.severity}</Badge>
        <span>{timeOfDay(story.time)}</span>
        <span title="1: all that it takes was seen">confidence {story.confidence}</span>
        <span>{story.rule}</span>
      </p>
      <h3>Because</h3>
      <ol>{(story.chain.length > 0 ? story.chain : [story.cause.detail]).map((text) => <li key={text}>{text}</li>)}</ol>
      <List head="What changed before" items={story.changes} />
      <List head="What else is hit" items={story.impact} />
      <List head="What is not known" items={story.missing} />
      <h3>Evidence</h3>
      <TimeLine story={story} records={evidence.records} />
      {evidence.error && <p class="error" role="alert">{evidence.error}</p>}
      {evidence.gone > 0 && <p class="note">{evidence.gone} of {story.evidence.length} records are not kept here any more.</p>}
      {evidence.records.map((record) => <Evidence key={record.id} record={record} />)}
    </article>
  );
}

const WITHOUT = new Set(["type", "name", "time", "id"]);

function Evidence({ record }: { record: TapioRecord }) {
  const known = Object.entries(record).filter(([key, it]) => !WITHOUT.has(key) && it !== null);
  return (
    <details>
      <summary>
        <time dateTime={record.time}>{timeOfDay(record.time)}</time> {record.name}{" "}
        {value(record["process.executable.name"])} {value(record["process.pid"])}
      </summary>
      <dl class="fields">
        {known.map(([key, it]) => (
          <div key={key}><dt>{key}</dt><dd>{value(it)}</dd></div>
        ))}
      </dl>
    </details>
  );
}

interface Found {
  records: TapioRecord[];
  gone: number;
  error?: string;
}

function useEvidence(story: Story): Found {
  const [found, setFound] = useState<Found>({ records: [], gone: 0 });
  useEffect(() => {
    const end = new AbortController();
    const ask = async (id: string) => {
      try {
        return await get<TapioRecord>(`records/${id}`, end.signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    };
    Promise.all(story.evidence.map(ask))
      .then((all) => {
        const records = all.filter((one) => one !== null).sort((a, b) => a.time.localeCompare(b.time));
        setFound({ records, gone: all.length - records.length });
      })
      .catch((error) => {
        if (!end.signal.aborted) setFound({ records: [], gone: 0, error: String(error.message) });
      });
    return () => end.abort();
  }, [story.id, story.revision]);
  return found;
}
