// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { setToken } from "./api";
import { count } from "./format";
import { go, useAddress, useLive } from "./hooks";
import { Live } from "./live";
import { Kernels } from "./pages/kernels";
import { Latency } from "./pages/latency";
import { Overview } from "./pages/overview";
import { Processes } from "./pages/processes";
import { Records } from "./pages/records";
import { Stories } from "./pages/stories";

const PAGES = ["overview", "stories", "records", "processes", "latency", "kernels"] as const;

export function App() {
  const live = useMemo(() => new Live(), []);
  const [run, setRun] = useState(0); // one more: with another token
  useEffect(() => {
    const end = new AbortController();
    void live.start(end.signal);
    return () => end.abort();
  }, [live, run]);
  useLive(live);
  usePageKeys();
  const { page, parameters } = useAddress();
  const shown = PAGES.find((one) => one === page) ?? "overview";
  useEffect(() => {
    document.title = `${shown} · Tapio`;
  }, [shown]);
  const isRefused = live.error?.status === 401;
  return (
    <>
      <header>
        <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
        <h1>Tapio</h1>
        <nav aria-label="Pages">
          {PAGES.map((one, i) => (
            <a key={one} href={`#${one}`} aria-current={one === shown ? "page" : undefined} title={`Key ${i + 1}`}>{one}</a>
          ))}
        </nav>
        <Connection live={live} />
        <Theme />
      </header>
      <main id="main" tabIndex={-1}>
        {isRefused ? (
          <Token refused={run > 0} enter={(token) => { setToken(token); live.error = null; setRun(run + 1); }} />
        ) : (
          <Page key={run} page={shown} parameters={parameters} live={live} />
        )}
      </main>
    </>
  );
}

function Page({ page, parameters, live }: { page: (typeof PAGES)[number]; parameters: URLSearchParams; live: Live }) {
  switch (page) {
    case "overview":
      return <Overview />;
    case "stories":
      return <Stories id={parameters.get("id")} />;
    case "records":
      return <Records live={live} name={parameters.get("name")} />;
    case "processes":
      return <Processes />;
    case "latency":
      return <Latency live={live} name={parameters.get("name")} />;
    case "kernels":
      return <Kernels />;
  }
}

// 1 to 6 go to the pages, where nobody types.
function usePageKeys() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test((event.target as HTMLElement).tagName);
      if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
      const page = PAGES[Number(event.key) - 1];
      if (page) go(page);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

function Connection({ live }: { live: Live }) {
  const state = live.error ? "gone" : "live";
  return (
    <span class={`connection ${state}`} role="status" title={live.error?.message ?? "Records come as they are told."}>
      {live.error ? "not connected" : `live · ${count(live.received)}`}
      {live.holes > 0 && <b title="The agent did not keep what came while this page was not connected."> · {count(live.holes)} missed</b>}
    </span>
  );
}

type Look = "auto" | "light" | "dark";

function Theme() {
  const [look, setLook] = useState<Look>((localStorage.getItem("tapio.look") as Look | null) ?? "auto");
  useEffect(() => {
    if (look === "auto") delete document.documentElement.dataset.look;
    else document.documentElement.dataset.look = look;
    localStorage.setItem("tapio.look", look);
  }, [look]);
  const next: Record<Look, Look> = { auto: "dark", dark: "light", light: "auto" };
  return <button type="button" class="look" aria-label={`Colours: ${look}`} onClick={() => setLook(next[look])}>{look}</button>;
}

function Token({ refused, enter }: { refused: boolean; enter: (token: string) => void }) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form class="token" onSubmit={(event) => { event.preventDefault(); enter(box.current!.value.trim()); }}>
      <h2>This agent wants a token</h2>
      <p>It is in the file that <code>http.token_file</code> names. This page keeps it until the tab is closed.</p>
      {refused && <p class="error" role="alert">That is not the agent's token.</p>}
      <label>Token <input ref={box} type="password" autocomplete="off" required /></label>
      <button type="submit">Go on</button>
    </form>
  );
}
