import type { Columns, Row } from '../../src/plugin/columns.js';
import { createRenderer, type Format, type RenderStyle } from '../../src/render/renderer.js';
import { TextSink } from '../../src/render/sink.js';

/** What a format makes of batches of rows. */
export async function render(
  format: Format,
  columns: Columns,
  batches: readonly (readonly Row[])[],
  style: Partial<RenderStyle> & { readonly width?: number; readonly notes?: readonly string[] } = {},
): Promise<string> {
  const sink = new TextSink(style.width);
  const renderer = await createRenderer(format, { name: 'test', columns }, sink, { timezone: 'UTC', full: false, ...style });
  await renderer.begin();
  for (const batch of batches) await renderer.rows(batch);
  await renderer.end(style.notes ?? []);
  return sink.text;
}
