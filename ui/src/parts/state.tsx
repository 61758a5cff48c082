// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from "preact";
import type { Asked } from "../hooks";

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

// What was asked for, or that it is on its way, or why it is not there.
export function Answer<T>({ asked, children }: { asked: Asked<T>; children: (data: T) => ComponentChildren }) {
  return (
    <>
      {asked.error && (
        <p class="error" role="alert">
          {asked.error.message} {asked.data ? "This is what it said last." : "Asking again by itself."}
        </p>
      )}
      {asked.data ? children(asked.data) : !asked.error && <p class="loading" role="status">Loading…</p>}
    </>
  );
}

export function Badge({ kind, children }: { kind: string; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>;
}
