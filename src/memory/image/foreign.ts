/** What files that are no memory image look like, and what to do with them: asked when no format claimed the file. */

interface Signature {
  /** Bytes at `offset` (default 0); latin1 text. */
  readonly text: string;
  readonly offset?: number;
  /** Ends the sentence "FILE is …"; `FILE` stands for the file's name. */
  readonly says: string;
}

const SIGNATURES: readonly Signature[] = [
  { text: '\x1f\x8b\x08', says: 'compressed with gzip. Unpack it first: gunzip -k FILE' },
  { text: '\xfd7zXZ\x00', says: 'compressed with xz. Unpack it first: xz -dk FILE' },
  { text: '\x28\xb5\x2f\xfd', says: 'compressed with Zstandard. Unpack it first: zstd -d FILE' },
  { text: 'BZh', says: 'compressed with bzip2. Unpack it first: bunzip2 -k FILE' },
  { text: '\x04\x22\x4d\x18', says: 'compressed with LZ4. Unpack it first: lz4 -d FILE' },
  { text: '\x89LZO\x00\x0d\x0a\x1a\x0a', says: 'compressed with lzop. Unpack it first: lzop -dk FILE' },
  {
    text: '\xff\x06\x00\x00sNaPpY',
    says: 'a bare Snappy stream, without the ranges that an image needs. Unpack it first: snzip -dk FILE',
  },
  { text: '7z\xbc\xaf\x27\x1c', says: 'a 7-Zip archive. Unpack it first: 7z x FILE' },
  { text: 'Rar!\x1a\x07', says: 'a RAR archive. Unpack it first: unrar x FILE' },
  {
    text: 'PK\x03\x04',
    says: 'a ZIP archive (or an AFF4 container, which this version does not read). See what is in it: unzip -l FILE',
  },
  { text: 'ustar', offset: 257, says: 'a tar archive. Unpack it first: tar -xf FILE' },
  {
    text: 'EVF\x09\x0d\x0a\xff\x00',
    says: 'an EWF image (.E01), which this version does not read. Convert it first: ewfexport -f raw -t image FILE',
  },
  {
    text: 'EVF2\x0d\x0a\x81\x00',
    says: 'an EWF2 image (.Ex01), which this version does not read. Convert it first: ewfexport -f raw -t image FILE',
  },
  {
    text: 'LVF\x09\x0d\x0a\xff\x00',
    says: 'a logical EWF image (.L01), which holds files, not memory. See: ewfinfo FILE',
  },
  {
    text: 'AFF10\x0d\x0a\x00',
    says: 'an AFF image, which this version does not read. Convert it first: affcat FILE > image.raw',
  },
  { text: 'hibr', says: hibernation() },
  { text: 'HIBR', says: hibernation() },
  { text: 'RSTR', says: hibernation() },
  { text: 'wake', says: hibernation() },
  { text: 'WAKE', says: hibernation() },
  {
    text: 'ZDMP',
    says: 'a compressed DumpIt dump, which this version does not read. Unpack it first: Z2Dmp FILE image.dmp',
  },
  { text: 'MDMP', says: 'a Windows minidump of a process, not of a machine. Try: windbg -z FILE' },
  {
    text: 'QFI\xfb',
    says: 'a QEMU disk image (qcow2). A snapshot in it holds memory: start it with qemu -loadvm, then dump-guest-memory',
  },
  {
    text: 'QEVM',
    says: 'a QEMU migration stream (savevm). Load it (qemu -incoming "exec:cat FILE"), then dump-guest-memory image.elf',
  },
  {
    text: 'LibvirtQemudSave',
    says: 'a saved libvirt domain. Restore it (virsh restore FILE --paused), then: virsh dump --memory-only DOMAIN image.elf',
  },
  {
    text: 'KDMV',
    says: 'a VMware disk (.vmdk), not memory. The memory is in the .vmem file beside it: rekall -f NAME.vmem',
  },
  {
    text: '# Disk DescriptorFile',
    says: 'a VMware disk descriptor (.vmdk), not memory. The memory is in the .vmem file: rekall -f NAME.vmem',
  },
  { text: '\xd0\xbe\xd2\xbe', says: vmware() },
  { text: '\xd1\xba\xd1\xba', says: vmware() },
  { text: '\xd2\xbe\xd2\xbe', says: vmware() },
  { text: '\xd3\xbe\xd3\xbe', says: vmware() },
  { text: 'conectix', says: 'a Hyper-V disk (.vhd), not memory. See: qemu-img info FILE' },
  { text: 'vhdxfile', says: 'a Hyper-V disk (.vhdx), not memory. See: qemu-img info FILE' },
  { text: 'LinuxGuestRecord', says: 'a saved Xen domain. Dump its memory instead: xl dump-core DOMAIN image.elf' },
  {
    text: '<<< Oracle VM VirtualBox Disk Image',
    says: 'a VirtualBox disk (.vdi), not memory. Dump memory: VBoxManage debugvm VM dumpvmcore --filename image.elf',
  },
  {
    text: '\x7fVirtualBox SavedState',
    says: 'a saved VirtualBox state. Dump memory instead: VBoxManage debugvm VM dumpvmcore --filename image.elf',
  },
  { text: '%PDF-', says: 'a PDF document, not a memory image. See: file FILE' },
  { text: 'SQLite format 3\x00', says: 'an SQLite database, not a memory image. See: sqlite3 FILE .schema' },
  { text: 'Microsoft C/C++ MSF 7.00', says: 'a PDB symbol file, not a memory image. See: file FILE' },
  { text: 'regf', says: 'a Windows registry hive, not a memory image. See: file FILE' },
  { text: 'ElfFile\x00', says: 'a Windows event log, not a memory image. See: file FILE' },
  { text: '\x89PNG\x0d\x0a\x1a\x0a', says: 'a PNG picture, not a memory image. See: file FILE' },
  { text: '\xff\xd8\xff', says: 'a JPEG picture, not a memory image. See: file FILE' },
  { text: 'GIF8', says: 'a GIF picture, not a memory image. See: file FILE' },
  { text: '!<arch>\n', says: 'an ar archive or Debian package, not a memory image. See: file FILE' },
  { text: '\xcf\xfa\xed\xfe', says: 'a Mach-O file (macOS), which this version does not read. See: file FILE' },
  { text: '\xce\xfa\xed\xfe', says: 'a Mach-O file (macOS), which this version does not read. See: file FILE' },
  {
    text: '\x9f\xeb\x01\x00',
    says: 'a BTF blob (types of a kernel), not a memory image. Give it with an image: rekall -f IMAGE --profile FILE',
  },
];

function hibernation(): string {
  return 'a Windows hibernation file (hiberfil.sys), which this version does not read. Try: vol -f FILE windows.info';
}

function vmware(): string {
  return 'a VMware snapshot or suspend state (.vmss, .vmsn). Open the memory file beside it: rekall -f NAME.vmem';
}

/**
 * What a file is that no image format claimed, as the end of the sentence "FILE is …" with the next command to try, or undefined
 * where nothing speaks against raw memory.
 *
 * @param start the first bytes of the file: up to 64 KiB
 */
export function foreignFormat(start: Buffer, path: string): string | undefined {
  const known = SIGNATURES.find(
    ({ text, offset = 0 }) => start.length > offset && start.toString('latin1', offset, offset + text.length) === text,
  );
  const says = known?.says ?? executable(start) ?? deflated(start) ?? text(start);
  return says?.replaceAll('FILE', path);
}

/** `MZ`, and at the place it names `PE`: two bytes alone could be memory. */
function executable(start: Buffer): string | undefined {
  if (start.length < 64 || start.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const header = start.readUInt32LE(60);
  if (start.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined;
  // Programs are an image format of their own; Linux' EFI stub makes a kernel look like one, and its setup header says HdrS at 0x202.
  if (start.toString('latin1', 0x202, 0x206) === 'HdrS')
    return 'a Linux kernel (bzImage), not a memory image. See: file FILE';
  return 'a Windows program, not a memory image. See: file FILE';
}

/** A zlib stream, such as LiME writes with compress=1: the two header bytes are a multiple of 31, the first block is of a known kind. */
function deflated(start: Buffer): string | undefined {
  if (start.length < 16 || start[0] !== 0x78 || start.readUInt16BE(0) % 31 !== 0) return undefined;
  const kind = ((start[2] as number) >>> 1) & 3;
  if (kind === 3 || start.subarray(2, 16).every((byte) => byte === 0)) return undefined;
  return 'a zlib stream (LiME with compress=1?). Unpack it first: pigz -dc < FILE > image.lime';
}

/** Text: printable ASCII or UTF-8 all through its beginning. */
function text(start: Buffer): string | undefined {
  const sample = start.subarray(0, 4096);
  for (const byte of sample) {
    const printable =
      byte >= 0x20 ? byte !== 0x7f : byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x0c || byte === 0x1b;
    if (!printable) return undefined;
  }
  if (sample.length === 0 || Buffer.from(sample.toString('utf8'), 'utf8').length > sample.length + 8) return undefined;
  const first = sample.toString('latin1').trimStart();
  if (/^[[{]/.test(first))
    return 'JSON text, not a memory image. A profile or symbol file goes with an image: rekall -f IMAGE --profile FILE';
  if (first.startsWith('<')) return 'XML or HTML text, not a memory image. See: head FILE';
  return 'text, not a memory image. See: head FILE';
}
