// SPDX-License-Identifier: Apache-2.0
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { ApiError, get } from "./api";
import type { Live } from "./live";

export interface Asked<T> {
  data?: T;
  error?: ApiError;
}

// What the agent answers to `path`, asked again `every` so many milliseconds (0: once). What it
// answered last stays when it does not answer.
export function useAsked<T>(path: string | null, every = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({});
  useEffect(() => {
    if (path === null) return;
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = async () => {
      try {
        const data = await get<T>(path, end.signal);
        setAsked({ data });
      } catch (error) {
        if (end.signal.aborted) return;
        const why = error instanceof ApiError ? error : new ApiError(0, String(error));
        setAsked((before) => ({ data: before.data, error: why }));
      }
      if (every > 0) timer = setTimeout(again, every);
    };
    setAsked({});
    void again();
    return () => {
      end.abort();
      clearTimeout(timer);
    };
  }, [path, every]);
  return asked;
}

// Draws again when records came.
export function useLive(live: Live) {
  const [, draw] = useReducer<number, void>((n) => n + 1, 0);
  useEffect(() => live.look(() => draw()), [live]);
}

// The part of the address behind #, as a path and parameters: "#records?name=dns.query".
export function useAddress(): { page: string; parameters: URLSearchParams } {
  const read = () => {
    const [page = "", query = ""] = location.hash.slice(1).split("?");
    return { page, parameters: new URLSearchParams(query) };
  };
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const changed = () => setAddress(read());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return address;
}

export function go(page: string, parameters: Record<string, string> = {}) {
  const query = new URLSearchParams(parameters).toString();
  location.hash = query ? `${page}?${query}` : page;
}

// The latest two of something that only grows, for its rate.
export function useRate(total: number | undefined, seconds: number | undefined): number | undefined {
  const before = useRef<{ total: number; seconds: number }>();
  const rate = useRef<number>();
  if (total !== undefined && seconds !== undefined && before.current?.seconds !== seconds) {
    if (before.current && seconds > before.current.seconds)
      rate.current = Math.max(0, (total - before.current.total) / (seconds - before.current.seconds));
    before.current = { total, seconds };
  }
  return rate.current;
}
