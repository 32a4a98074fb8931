import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breathe, breathing, type Steps } from '../../src/memory/breathe.js';

/** Works for so many milliseconds. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** How often the event loop has its turn while something runs. */
async function turnsDuring(run: () => Promise<void>): Promise<number> {
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  await run();
  running = false;
  return turns;
}

function* search(): Steps<number> {
  for (let step = 0; step < 4; step++) {
    work(4);
    yield step === 3 ? step : undefined;
  }
}

test('many searches, each of which is short, let the event loop have its turn as one long one does', async () => {
  const turns = await turnsDuring(async () => {
    for (let piece = 0; piece < 20; piece++) for await (const found of breathing(search())) assert.equal(found, 3);
  });
  // 320 ms of work: a turn each 30 ms and a step.
  assert.ok(turns >= 5, `${turns} turns`);
});

test('what lies between two searches counts', async () => {
  const turns = await turnsDuring(async () => {
    for (let piece = 0; piece < 20; piece++) {
      work(16);
      await breathe();
    }
  });
  assert.ok(turns >= 5, `${turns} turns`);
});

test('who looks often is not held up: turns are given by the clock, not by the number of looks', async () => {
  const turns = await turnsDuring(async () => {
    await breathe();
    for (let look = 0; look < 10_000; look++) await breathe();
  });
  // 10,000 looks take some milliseconds; each of a busy machine's pauses may give one more.
  assert.ok(turns < 1000, `${turns} turns`);
});

test('an analyst who stopped it is heard at the next look, whoever let the event loop have its turn', async () => {
  const stop = new AbortController();
  stop.abort(new Error('stopped'));
  await assert.rejects(breathe(stop.signal), /stopped/);
  await assert.rejects(async () => {
    for await (const found of breathing(search(), stop.signal)) assert.fail(`found ${found}`);
  }, /stopped/);
});
