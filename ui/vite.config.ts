// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

// The page is one file, which the agent has inside. It may run the script that is in it, and talk to
// whom it came from; nothing else.
function contentSecurityPolicy(): Plugin {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return {
    name: "content-security-policy",
    enforce: "post",
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "asset" || !file.fileName.endsWith(".html")) continue;
        const page = String(file.source);
        const scripts = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((m) => hash(m[1] ?? ""));
        const policy = [
          "default-src 'none'",
          `script-src ${scripts.join(" ")}`,
          "style-src 'unsafe-inline'", // widths and places of what is drawn
          "img-src data:",
          "connect-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
        ].join("; ");
        file.source = page.replace("<head>", () => `<head>\n<meta http-equiv="Content-Security-Policy" content="${policy}">`);
      }
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
