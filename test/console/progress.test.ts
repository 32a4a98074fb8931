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
  line.finish();
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
  assert.equal(screen.text, '\r█████░░░░░░░░░░░░░░░ 25 %  3 s left  scanning\x1b[K\r⠹ 1 s  sorting\x1b[K\r\x1b[K');
});

test('what is measured has a rate, and time left by it; rows make way for a while', () => {
  const screen = new Screen(true);
  let now = 0;
  const line = new ProgressLine(screen, () => now);
  line.show(0, 'scanning', { done: 0, total: 8e9, unit: 'bytes' });
  now = 2000;
  line.show(0.25, 'scanning', { done: 2e9, total: 8e9, unit: 'bytes' });
  assert.equal(screen.text, '\r█████░░░░░░░░░░░░░░░ 25 %  1.0 GB/s  6 s left  scanning\x1b[K');
  line.clear();
  screen.text = '';
  now = 2100;
  line.tick('grep');
  assert.equal(screen.text, '');
  now = 4000;
  line.show(0.75, 'scanning', { done: 6e9, total: 8e9, unit: 'bytes' });
  now = 4200;
  line.tick('grep');
  assert.equal(screen.text, '\r███████████████░░░░░ 75 %  1.5 GB/s  1 s left  scanning\x1b[K\r███████████████░░░░░ 75 %  1.4 GB/s  1 s left  scanning\x1b[K');
  line.finish();
  screen.text = '';
  now = 5000;
  line.show(undefined, 'pslist', { done: 0, unit: 'rows' });
  now = 6000;
  screen.columns = 30;
  line.show(undefined, 'pslist', { done: 12345, unit: 'rows' });
  assert.equal(screen.text, '\r⠋ 1 s  12,345 rows  12,345 r…\x1b[K');
});

test('what is no terminal gets nothing', () => {
  const screen = new Screen(false);
  let now = 0;
  const line = new ProgressLine(screen, () => (now += 1000));
  for (let step = 0; step < 5; step++) line.show(step / 5);
  line.clear();
  assert.equal(screen.text, '');
});
