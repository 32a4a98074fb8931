import { pageFiles } from '../../src/kernel/windows/memory/pagefiles.js';
import { Absent } from '../../src/memory/absent.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

const PAGE = 4096n;

export const pagefiles = definePlugin({
  name: 'pagefiles',
  needs: ['windows'],
  topic: 'memory',
  summary: 'the page files, by the numbers that page-table entries give them',
  notes:
    'The table at MmPagingFile; since Windows 10 that of the system partition of memory (MiSystemPartition). vtop names the file for a page that was written to one. A file that is a store ' +
    'has no file: its pages are kept compressed in the memory of the process MemCompression.',
  args: {},
  columns: {
    _MMPAGING_FILE: col.struct('_MMPAGING_FILE', 'the page file'),
    number: col.int('number in page-table entries   _MMPAGING_FILE.PageFileNumber'),
    size: col.size('size   _MMPAGING_FILE.Size', { unit: 'bytes' }),
    filename: col.string('its name   _MMPAGING_FILE.PageFileName, File'),
    free: col.size('what of it is free   _MMPAGING_FILE.FreeSpace', { unit: 'bytes' }),
    peak: col.size('what was in use at most   _MMPAGING_FILE.PeakUsage', { unit: 'bytes', hidden: true }),
    maximum: col.size('how large it may become   _MMPAGING_FILE.MaximumSize', { unit: 'bytes', hidden: true }),
    store: col.bool('true for pages that are compressed in memory   _MMPAGING_FILE.VirtualStorePagefile'),
  },
  examples: [{ line: 'pagefiles' }],
  *collect(context) {
    const kernel = windowsOf(context);
    let files: ReturnType<typeof pageFiles>;
    try {
      files = pageFiles(kernel);
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      context.note(`The table of page files cannot be read: ${error.reason}.`);
      return;
    }
    for (const { struct, number, name, store } of files) {
      const bytes = (member: string) => () => BigInt(struct.$get(member) as number | bigint) * PAGE;
      yield { _MMPAGING_FILE: struct, number, size: bytes('Size'), filename: name ?? null, free: bytes('FreeSpace'), peak: bytes('PeakUsage'), maximum: bytes('MaximumSize'), store };
    }
    if (files.length === 0) context.note('There are no page files: the system runs without one, or had not opened it yet.');
  },
});
