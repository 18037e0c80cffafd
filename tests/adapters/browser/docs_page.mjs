// Opens a FastAPI docs page, signs in through the Authorize button, and calls an operation; prints what it saw as JSON.
// Arguments: Chromium, URL of the docs page, folder of Swagger UI, folder for screenshots.
import { chromium } from "playwright-core";
import { readFile } from "node:fs/promises";
import path from "node:path";

const [executablePath, docs, assets, pictures] = process.argv.slice(2);
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const seen = { errors: [], outside: [] };

const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1400 } });
  const origin = new URL(docs).origin;
  await context.route((url) => url.origin !== origin, async (route) => {
    const name = path.basename(new URL(route.request().url()).pathname);
    if (!["swagger-ui-bundle.js", "swagger-ui.css"].includes(name)) {
      seen.outside.push(route.request().url());
      return route.abort();
    }
    const contentType = name.endsWith(".js") ? "text/javascript" : "text/css";
    return route.fulfill({ body: await readFile(path.join(assets, name)), contentType });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => seen.errors.push(String(error)));

  await page.goto(docs);
  await page.locator(".btn.authorize").waitFor();
  await page.locator(".opblock").first().waitFor();
  await page.screenshot({ path: path.join(pictures, "docs.png") });
  seen.locks = await page.locator(".opblock:has(.authorization__btn)").count();
  seen.operations = await page.locator(".opblock").count();

  await page.locator(".btn.authorize").click();
  await page.locator(".auth-container").nth(1).waitFor();
  await page.screenshot({ path: path.join(pictures, "authorize.png") });
  seen.schemes = await page.locator(".auth-container h4").allInnerTexts();
  const signIn = page.locator(".auth-container", { hasText: "authorization_code" });
  seen.client = await signIn.locator("input[id^=client_id]").inputValue();
  seen.ticked = await signIn.locator("input[type=checkbox]:checked").count();
  const popup = context.waitForEvent("page");
  await signIn.locator("button.authorize").click();
  await (await popup).waitForEvent("close").catch(() => {});
  await signIn.locator("button:has-text('Logout')").waitFor();
  await page.screenshot({ path: path.join(pictures, "signed-in.png") });
  await page.locator("button.btn-done").first().click();

  const operation = page.locator(".opblock", { hasText: "/orders" });
  await operation.locator(".opblock-summary-control").click();
  const documented = operation.locator(".responses-table:not(.live-responses-table) .response-col_status");
  await documented.nth(1).waitFor();
  seen.documented = await documented.allInnerTexts();
  await operation.locator(".try-out__btn").click();
  await operation.locator(".btn.execute").click();
  await operation.locator(".live-responses-table .response-col_status").nth(1).waitFor();
  seen.status = (await operation.locator(".live-responses-table .response-col_status").nth(1).innerText()).trim();
  seen.body = (await operation.locator(".live-responses-table .highlight-code").first().innerText()).trim();
  await page.screenshot({ path: path.join(pictures, "called.png"), fullPage: true });
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
