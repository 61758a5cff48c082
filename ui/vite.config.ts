// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

// The page is one file, which the agent has inside. It may run the script that is in it, and talk to
// whom it came from; nothing else.
function contentSecurityPolicy(): Plugin {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policyOf = (page: string) => {
    const scripts = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => hash(match[1] ?? ""));
    return [
      "default-src 'none'",
      `script-src ${scripts.join(" ")}`,
      "style-src 'unsafe-inline'", // widths and places of what is drawn
      "img-src data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
    ].join("; ");
  };
  return {
    name: "content-security-policy",
    // When the script is in the page.
    writeBundle({ dir }) {
      const path = join(dir!, "index.html");
      const page = readFileSync(path, "utf8");
      const meta = `<meta http-equiv="Content-Security-Policy" content="${policyOf(page)}">`;
      writeFileSync(path, page.replace("<head>", () => `<head>\n${meta}`));
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [viteSingleFile(), contentSecurityPolicy()],
  build: { target: "es2022", modulePreload: false },
  // `npm run dev` shows what an agent tells that runs here.
  server: { proxy: { "/api": "http://127.0.0.1:7170" } },
});
