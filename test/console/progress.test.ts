import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProgressLine } from '../../src/console/progress.js';
import { Screen } from '../support/console.js';

test('only long work is shown, a bar with the time left, and nothing of it stays', () => {
  const screen = new Screen(true);
  let now = 0;
  const line = new ProgressLine(screen, () => now);
  line.show(0.1, 'scanning');
  now = 400;
  line.show(0.2, 'scanning');
  line.clear();
  assert.equal(screen.text, '');
  now = 1000;
  line.show(0, 'scanning');
  now = 2000;
  line.show(0.25, 'scanning');
  assert.equal(screen.text, '\r█████░░░░░░░░░░░░░░░ 25 %  3 s left  scanning\x1b[K');
  now = 2050;
  line.show(0.26, 'scanning');
  now = 2200;
  line.show(undefined, 'sorting');
  line.clear();
  line.clear();
  assert.equal(screen.text, '\r█████░░░░░░░░░░░░░░░ 25 %  3 s left  scanning\x1b[K\rsorting\x1b[K\r\x1b[K');
});

test('what is no terminal gets nothing', () => {
  const screen = new Screen(false);
  let now = 0;
  const line = new ProgressLine(screen, () => (now += 1000));
  for (let step = 0; step < 5; step++) line.show(step / 5);
  line.clear();
  assert.equal(screen.text, '');
});
