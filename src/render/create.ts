import { CsvRenderer, DataRenderer, JsonRenderer, NdjsonRenderer } from './machine.js';
import type { Renderer, RenderOptions, Write } from './renderer.js';
import { TextRenderer, WideRenderer } from './text.js';

export type Format = 'text' | 'wide' | 'json' | 'ndjson' | 'csv' | 'data';

/** The renderer of a format. */
export function createRenderer(format: Format, write: Write, options: RenderOptions & { readonly plugin?: string } = {}): Renderer {
  switch (format) {
    case 'text':
      return new TextRenderer(write, options);
    case 'wide':
      return new WideRenderer(write, options);
    case 'json':
      return new JsonRenderer(write);
    case 'ndjson':
      return new NdjsonRenderer(write);
    case 'csv':
      return new CsvRenderer(write);
    case 'data':
      return new DataRenderer(write, options);
  }
}
