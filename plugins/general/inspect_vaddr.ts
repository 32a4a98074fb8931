import { basename } from 'node:path';
import { PagedSpace } from '../../src/memory/paging/paged.js';
import type { PhysicalSpace } from '../../src/memory/physical.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import type { Session } from '../../src/session/session.js';
import { findSpace } from '../../src/session/spaces.js';
import { linuxArea, linuxFrame } from './linux-places.js';

export const inspectVaddr = definePlugin({
  name: 'inspect_vaddr',
  needs: 'kernel',
  topic: 'memory',
  summary: 'an address walked down through every layer, to its place in the image file',
  notes:
    'One row for each address space and what it stands on: the page tables of a process or of the kernel on physical memory, physical memory on the image file. In compressed images the ' +
    'offset is that of the compressed page. vtop shows the page-table entries in between.',
  args: {
    address: arg.address.required('the address: a number or a symbol', { positional: true, completes: 'symbol' }),
    address_space: arg.space('in which space', { positional: true }),
  },
  columns: {
    address_space: col.string('the layer', { title: 'Address Space' }),
    Offset: col.address('the address in it'),
    base_as: col.string('the layer it stands on', { title: 'Base AS' }),
    base_as_offset: col.physical('the address there, or the offset in the file', { title: 'Base AS Offset' }),
    comment: col.string('what lies there, or why the way ends'),
  },
  examples: [{ line: 'inspect_vaddr linux!init_task' }, { line: 'inspect_vaddr bash!main pid@156' }],
  async *collect(context, args) {
    const { session, kernel } = context;
    const { space, context: process } = await findSpace(session, args.address_space);
    const physical = session.physical();
    const { address } = args;
    if (space instanceof PagedSpace) {
      const { physical: found, reason } = space.walk(address);
      const area = linuxArea(kernel, process, address);
      yield { address_space: space.name, Offset: address, base_as: physical.name, base_as_offset: found ?? null, comment: found === undefined ? (reason ?? 'not mapped') : (area?.text ?? null) };
      if (found === undefined) return;
      const row = inFile(session, physical, found);
      yield { ...row, comment: comment(linuxFrame(kernel, found, area), row.comment) };
      return;
    }
    yield inFile(session, physical, Number(address));
  },
});

function comment(...parts: (string | null | undefined)[]): string | null {
  return parts.filter(Boolean).join('; ') || null;
}

/** The row of physical memory on the image file. */
function inFile(session: Session, physical: PhysicalSpace, address: number) {
  const { image } = physical;
  const base = `${basename(session.parameters.filename ?? '')} (${image.format})`;
  const held = physical.isValid(BigInt(address));
  const place = held ? image.place?.(address) : undefined;
  const offset = place?.offset === undefined ? null : place.offset + session.parameters.file_offset;
  const why = held ? (place ? (place.packed ?? null) : 'this format has no single place for a byte') : 'the image does not hold it';
  return { address_space: physical.name, Offset: BigInt(address), base_as: base, base_as_offset: offset, comment: why };
}
