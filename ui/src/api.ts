// SPDX-License-Identifier: Apache-2.0
import { createParser } from "eventsource-parser";
import type { TapioRecord } from "./types";

const TOKEN = "tapio.token"; // forgotten with the tab

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: nobody answered
    message: string,
  ) {
    super(message);
  }
}

export function setToken(token: string) {
  sessionStorage.setItem(TOKEN, token);
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response;
  try {
    response = await fetch(`api/v1/${path}`, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The agent does not answer.");
  }
  if (response.ok) return response;
  const why = await response.json().catch(() => ({}));
  throw new ApiError(response.status, why.error ?? `The agent answered ${response.status}.`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, { headers: headers(), signal });
  return response.json();
}

export interface Listener {
  record(record: TapioRecord): void;
  forgotten(): void; // what came between was not kept: what follows does not join on
  state(error: ApiError | null): void;
}

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000; // milliseconds

// Records as they come, from behind `last` on; comes back by itself until `signal` ends it. With a
// token, the browser's own EventSource would not do: it sends none.
export async function follow(last: string | undefined, to: Listener, signal: AbortSignal) {
  let wait = FIRST_WAIT;
  while (!signal.aborted) {
    try {
      const response = await ask("events", {
        headers: { ...headers(), ...(last ? { "Last-Event-ID": last } : {}) },
        signal,
      });
      to.state(null);
      wait = FIRST_WAIT;
      const parser = createParser({
        onEvent(event) {
          if (event.event === "reset") return to.forgotten();
          last = event.id ?? last;
          to.record(JSON.parse(event.data));
        },
      });
      for await (const text of texts(response)) parser.feed(text);
      throw new ApiError(0, "The agent ended the stream.");
    } catch (error) {
      if (signal.aborted) return;
      to.state(error instanceof ApiError ? error : new ApiError(0, "The stream broke off."));
    }
    await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random() / 2)));
    wait = Math.min(wait * 2, LONGEST_WAIT);
  }
}

async function* texts(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
