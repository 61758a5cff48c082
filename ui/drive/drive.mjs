// SPDX-License-Identifier: Apache-2.0
// The page in a real browser, against a real agent on the live kernel. Pictures go to the second
// argument. Ends with `N passed, N failed`.
//
//   node drive.mjs TAPIO DIRECTORY
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { agent, ask, containers, nameServer, play, sleep, until } from "./node.mjs";

const [tapio, pictures] = process.argv.slice(2);
const CONTAINERS = 500;
const PATIENCE = 10_000; // milliseconds, for the browser to show something
const LOOKUPS = 12_000; // more than a table keeps
mkdirSync(pictures, { recursive: true });

let passed = 0;
let failed = 0;
async function check(what, test) {
  try {
    const note = await test();
    passed++;
    console.log(`ok      ${what}${note ? `: ${note}` : ""}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${what}: ${error.message}`);
  }
}
function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

const server = await nameServer();
const node = await agent(tapio, server.port);
const crowd = containers(CONTAINERS);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const complaints = [];
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(node.url);
  return page;
}
async function enter(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Go on" }).click();
}
async function go(page, name) {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
}
const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });
const rows = (page) => page.locator(".table tbody tr[aria-rowindex]");

async function kill() {
  const shell = spawn("bash", ["-c", "sleep 600 & sleep 0.3; kill -9 $!; sleep 0.2"], { stdio: "ignore" });
  await new Promise((done) => shell.once("exit", done));
}
async function lookUp(number) {
  for (let i = 0; i < number; i += 50)
    await Promise.all(Array.from({ length: 50 }, (_, j) => ask(server.port, `name${j}.example`, (i + j) & 0xffff)));
}

try {
  const page = await open({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });

  await check("without a token it asks for one, and says when it is wrong", async () => {
    await page.getByText("wants a token").waitFor();
    await enter(page, "wrong");
    await page.getByText("not the agent's token").waitFor();
    expect(complaints.splice(0).every((text) => text.includes("401")), "other complaints than of the 401s");
    await enter(page, node.token);
    await page.getByText(/live ·/).waitFor();
  });
  if (failed) throw new Error("the page does not come up");

  await check("without stories it says so; others may die on this machine, too", async () => {
    await go(page, "stories");
    await page.getByText("Nothing was found so far").or(page.getByRole("navigation", { name: "Stories" })).waitFor();
  });

  await check("the overview shows the node, its observers and its ledger", async () => {
    await go(page, "overview");
    await page.getByRole("row", { name: /^process (healthy|degraded)/ }).waitFor();
    await page.getByText("Residue").waitFor();
    await picture(page, "overview-light");
  });

  await check("a story appears while it is looked at, with its evidence on a time line", async () => {
    await go(page, "stories");
    await kill();
    await page.getByRole("link", { name: /sleep/ }).first().waitFor();
    await page.getByRole("link", { name: /sleep/ }).first().click();
    await page.getByRole("heading", { name: "Evidence" }).waitFor();
    await until("dots", () => page.locator("svg.timeline circle").count());
    await page.locator("details").first().click();
    await picture(page, "story-light");
    return `${await page.locator("svg.timeline circle").count()} records`;
  });

  await check("while the demo plays, every story that is told comes onto the page", async () => {
    await go(page, "stories");
    const links = page.getByRole("navigation", { name: "Stories" }).getByRole("link");
    const before = await links.count();
    const seen = [];
    const playing = play(tapio);
    for (let ended = false; !ended; ended = await Promise.race([playing.then(() => true), sleep(1000)])) seen.push(await links.count());
    const { passed: right, failed: wrong } = await playing;
    expect(right > 20 && wrong === 0, `the demo itself: ${right} passed, ${wrong} failed`);
    const told = (await node.get("api/v1/stories?limit=500")).stories.length;
    await until(`${told} stories`, async () => (await links.count()) === Math.min(told, 200));
    expect(seen.some((count) => count > before && count < told), "they came at the end, all at once");
    await links.nth(1).click();
    await page.getByRole("heading", { name: "Evidence" }).waitFor();
    await picture(page, "demo-light");
    return `${right} scenarios, ${told} stories`;
  });

  await check("records come in live, and a filter leaves those that are meant", async () => {
    await page.goto(`${node.url}#records?name=process.exec`);
    await until("records", () => rows(page).count());
    await page.keyboard.press("/");
    await page.keyboard.type("name=sleep");
    await until("sleeps only", async () => {
      const text = await rows(page).allTextContents();
      return text.length > 0 && text.every((row) => row.includes("sleep"));
    });
  });

  await check("by keyboard a record opens and closes", async () => {
    await page.locator(".table").focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary").waitFor();
    await picture(page, "record-light");
    await page.keyboard.press("Escape");
    await page.getByRole("complementary").waitFor({ state: "detached" });
  });

  await check("ten thousand rows scroll", async () => {
    await page.goto(`${node.url}#records?name=dns.query`);
    await page.getByLabel("Filter").fill(""); // it stays when the kind changes
    await lookUp(LOOKUPS);
    await until("all of them", async () => /of 10,\d{3} shown/.test(await page.locator(".note").first().textContent()));
    const drawn = await rows(page).count();
    expect(drawn > 10 && drawn < 200, `${drawn} rows are drawn`);
    const frames = await page.evaluate(async () => {
      const box = document.querySelector(".table");
      box.scrollTop = 0;
      const times = [];
      for (let i = 0; i < 120; i++) {
        const begin = performance.now();
        box.scrollTop += 800;
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        times.push((performance.now() - begin) / 2);
      }
      return times.sort((a, b) => a - b);
    });
    return `${drawn} drawn; a frame takes ${frames[60].toFixed(1)} ms, at most ${frames.at(-1).toFixed(1)} ms`;
  });

  await check("a record that a filter wants is found among ten thousand", async () => {
    await page.getByLabel("Filter").fill("question.name=name49.example");
    await until("fewer", async () => / of 1\d,\d{3} shown/.test(await page.locator(".note").first().textContent()) && (await rows(page).first().textContent()).includes("name49"));
    await picture(page, "records-light");
  });

  await check("the heat map draws lookups by their time", async () => {
    await go(page, "latency");
    await page.locator("canvas").waitFor();
    const box = await page.locator("canvas").boundingBox();
    for (let x = box.width - 4; x > 70 && !/: [1-9]/.test(await page.locator("figcaption").textContent()); x -= 6)
      for (let y = 8; y < box.height - 20; y += 16) await page.mouse.move(box.x + x, box.y + y);
    await picture(page, "latency-light");
    const drawn = await page.evaluate(() => {
      const canvas = document.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(70, 0, canvas.width - 70, canvas.height - 24);
      return data.some((byte, i) => i % 4 === 3 && byte > 0);
    });
    expect(drawn, "nothing is drawn");
  });

  await check(`${CONTAINERS} containers are there, each with its process`, async () => {
    await go(page, "processes");
    await until("containers", async () => (await rows(page).filter({ hasText: "docker" }).count()) > 5);
    await page.getByLabel("Filter").fill("sleep");
    await until("sleeps", async () => (await page.locator("table[aria-rowcount]").getAttribute("aria-rowcount")) >= CONTAINERS * 2);
    await picture(page, "processes-light");
    const rowsOf = Number(await page.locator("table[aria-rowcount]").getAttribute("aria-rowcount")) - 1;
    return `${rowsOf} rows`;
  });

  await check("the tree has the browser below this program", async () => {
    await page.getByRole("button", { name: "Tree" }).click();
    await page.getByLabel("Filter").fill("chrom");
    await until("the browser", async () => (await rows(page).filter({ hasText: "node" }).count()) > 0);
    const before = await rows(page).count();
    await rows(page).filter({ hasText: "chrom" }).first().click();
    await until("a closed branch", async () => (await rows(page).count()) < before);
  });

  await check("what programs did on other kernels is there", async () => {
    await page.keyboard.press("Escape");
    await go(page, "kernels");
    await page.getByRole("columnheader", { name: "5.10" }).waitFor();
    expect((await page.locator("td.fired").count()) > 50, "few programs fired");
    await picture(page, "kernels-light");
  });

  await check("every page is there in the dark, and at the width of a phone", async () => {
    for (const [look, size] of [["dark", { width: 1280, height: 800 }], ["phone", { width: 390, height: 844 }]]) {
      const other = await open({ viewport: size, colorScheme: "dark" });
      await enter(other, node.token);
      for (const name of ["overview", "stories", "records", "processes", "latency", "kernels"]) {
        await go(other, name);
        await sleep(700);
        const wide = await other.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(wide <= 0, `${name} is ${wide} pixels too wide for ${look}`);
        await picture(other, `${name}-${look}`);
      }
      await other.context().close();
    }
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !text.includes("401")));
  });

  await check("when the agent ends, the page says so and keeps what it has", async () => {
    await page.goto(`${node.url}#records?name=dns.query`);
    expect(node.status().ledger.residue === 0, "the residue is not 0");
    await node.stop();
    await page.getByText("not connected").waitFor();
    expect((await rows(page).count()) > 0, "the records are gone");
    await picture(page, "gone-light");
    complaints.splice(0, complaints.length, ...complaints.filter((text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_CONNECTION_RESET/.test(text)));
  });

  await check("the console had nothing to complain of", async () => {
    expect(complaints.length === 0, [...new Set(complaints)].join("; "));
  });
} catch (error) {
  failed++;
  console.log(`FAILED  ${error.message}`);
} finally {
  await browser.close();
  await crowd.remove();
  await node.stop().catch(() => {});
  server.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
