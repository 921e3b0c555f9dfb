// Logs in as a person does and looks whether a chart is drawn and log lines are shown.
//
// usage: node login.mjs PLAYWRIGHT_CORE CHROMIUM URL USER PASSWORD SCREENSHOT_DIR

import { createRequire } from 'node:module';
import { join } from 'node:path';

const [playwrightPath, executablePath, url, user, password, shots] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwrightPath);

const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

function check(holds, what) {
  if (!holds) {
    throw new Error(`expected: ${what}`);
  }
}

/** Whether a canvas has a coloured line on it: axes, grid and text are grey. */
async function isDrawn(canvas) {
  return canvas.evaluate((element) => {
    const { width, height } = element;
    if (width === 0 || height === 0) {
      return false;
    }
    const pixels = element.getContext('2d').getImageData(0, 0, width, height).data;
    let coloured = 0;
    for (let at = 0; at < pixels.length; at += 4) {
      const [red, green, blue, alpha] = pixels.subarray(at, at + 4);
      coloured += alpha > 100 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60 ? 1 : 0;
    }
    return coloured > 20;
  });
}

try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.setDefaultTimeout(30_000);

  await page.goto(`${url}/d/stack-overview`);
  await page.getByLabel(/user/i).first().fill(user);
  await page.getByLabel('Password', { exact: true }).fill('wrong');
  await page.getByRole('button', { name: /log in/i }).click();
  await page.getByText(/invalid|wrong|incorrect/i).first().waitFor();
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: /log in/i }).click();

  await page.getByText('Stack overview').first().waitFor();
  const canvas = page.locator('canvas').first();
  await canvas.waitFor();
  let drawn = false;
  for (let attempt = 0; attempt < 60 && !drawn; attempt += 1) {
    const canvases = await page.locator('canvas').all();
    for (const candidate of canvases) {
      drawn ||= await isDrawn(candidate);
    }
    await page.waitForTimeout(250);
  }
  check(drawn, 'a chart with a line on it');
  await page.screenshot({ path: join(shots, 'overview.png') });

  const panes = { a: { datasource: 'loki', queries: [{ refId: 'A', expr: '{job="varlogs"}' }], range: { from: 'now-1h', to: 'now' } } };
  await page.goto(`${url}/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify(panes))}`);
  await page.getByText('hello from the browser test').first().waitFor();
  await page.screenshot({ path: join(shots, 'explore-logs.png') });

  check(problems.length === 0, `no errors on the pages, got ${problems.join('; ')}`);
} finally {
  await browser.close();
}
