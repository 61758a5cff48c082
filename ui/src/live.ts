// SPDX-License-Identifier: Apache-2.0
import { ApiError, follow, get } from "./api";
import type { TapioRecord } from "./types";

export const MAX_OF_A_NAME = 10_000;
export const MAX_OF_ALL = 40_000; // beyond: the name that has most loses its oldest

// The latest records of each name. Those who look are told four times a second at most.
export class Live {
  error: ApiError | null = null;
  version = 0; // another one: something changed
  received = 0;
  forgotten = 0; // records that are not kept here any more
  holes = 0; // what came while nobody listened, and is not kept there any more
  private byName = new Map<string, TapioRecord[]>();
  private kept = 0;
  private lookers = new Set<() => void>();
  private told: ReturnType<typeof setTimeout> | undefined;

  names(): Map<string, number> {
    return new Map([...this.byName].map(([name, list]) => [name, list.length]));
  }

  // The oldest first.
  of(name: string): readonly TapioRecord[] {
    return this.byName.get(name) ?? [];
  }

  add(record: TapioRecord) {
    let list = this.byName.get(record.name);
    if (!list) this.byName.set(record.name, (list = []));
    list.push(record);
    this.received++;
    this.kept++;
    // A tenth at once: to take off the first one each time would move all the others.
    if (list.length > MAX_OF_A_NAME * 1.1) this.forget(list, MAX_OF_A_NAME);
    if (this.kept > MAX_OF_ALL * 1.1) this.makeRoom();
    this.tell();
  }

  look(looker: () => void): () => void {
    this.lookers.add(looker);
    return () => this.lookers.delete(looker);
  }

  // Begins with what the agent still has, then goes on as it comes.
  async start(signal: AbortSignal) {
    this.byName.clear();
    this.kept = this.received = this.forgotten = this.holes = 0;
    const last = await this.begin(signal);
    await follow(
      last,
      {
        record: (record) => this.add(record),
        forgotten: () => {
          this.holes++;
          this.tell();
        },
        state: (error) => {
          this.error = error;
          this.tell();
        },
      },
      signal,
    );
  }

  private async begin(signal: AbortSignal): Promise<string | undefined> {
    try {
      const page = await get<{ records: TapioRecord[] }>("records?limit=1000", signal);
      for (const record of page.records.reverse()) this.add(record);
      return page.records.at(-1)?.id;
    } catch (error) {
      if (error instanceof ApiError) this.error = error;
      this.tell();
      return undefined;
    }
  }

  private forget(list: TapioRecord[], leave: number) {
    const gone = Math.max(list.length - leave, 0);
    list.splice(0, gone);
    this.kept -= gone;
    this.forgotten += gone;
  }

  private makeRoom() {
    while (this.kept > MAX_OF_ALL) {
      const longest = [...this.byName.values()].reduce((a, b) => (b.length > a.length ? b : a));
      this.forget(longest, Math.floor(longest.length * 0.75));
    }
  }

  private tell() {
    this.told ??= setTimeout(() => {
      this.told = undefined;
      this.version++;
      for (const looker of this.lookers) looker();
    }, 250);
  }
}
