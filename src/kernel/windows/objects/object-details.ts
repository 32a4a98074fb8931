import type { Struct } from '../../../object/struct.js';
import { describeStruct } from '../../../object/describe.js';
import type { WindowsKernel } from '../kernel.js';
import { type KernelObject, objectName } from './objects.js';
import { unicodeText } from '../strings.js';

/** Parts of a registry path at most: keys nest 512 deep. */
const DEEPEST = 512;

/**
 * What an object is, for people: the path of a file, the full path of a key, name and id of a process, ids of a thread; of others the name
 * that the object manager has. Throws Absent where that cannot be read.
 */
export function describeHandle(kernel: WindowsKernel, object: KernelObject): string {
  switch (object.type) {
    case 'File':
      return filePath(kernel, kernel.at('_FILE_OBJECT', object.body));
    case 'Key':
      return keyPath(kernel, object.body);
    case 'Process': {
      const { name = '', pid } = describeStruct(kernel.at('_EPROCESS', object.body));
      return `${name}(${pid ?? '?'})`;
    }
    case 'Thread': {
      const cid = kernel.at('_ETHREAD', object.body).$get('Cid') as Struct;
      return `TID ${Number(cid.$get('UniqueThread'))} PID ${Number(cid.$get('UniqueProcess'))}`;
    }
    default:
      return objectName(kernel, object);
  }
}

/** `\Device\HarddiskVolume1\Windows\System32`: the device's name, then the file's. */
function filePath(kernel: WindowsKernel, file: Struct): string {
  const name = unicodeText(file.$get('FileName') as Struct);
  const device = file.$pointer('DeviceObject');
  if (device === 0n) return name;
  const devices = kernel.memo('names of devices', () => new Map<bigint, string>());
  let deviceName = devices.get(device);
  if (deviceName === undefined) {
    const header = device - BigInt(kernel.struct('_OBJECT_HEADER').offsetOf('Body'));
    deviceName = objectName(kernel, { header: kernel.at('_OBJECT_HEADER', header), type: 'Device', body: device });
    devices.set(device, deviceName);
  }
  return deviceName === '' ? name : `\\Device\\${deviceName}${name}`;
}

/** `\REGISTRY\MACHINE\SOFTWARE`: the names of the key's control blocks, up to the root. Most keys share theirs with others: a path is put together once. */
function keyPath(kernel: WindowsKernel, body: bigint): string {
  const known = kernel.memo('paths of keys', () => new Map<bigint, string>());
  const blocks: { readonly address: bigint; readonly name: string }[] = [];
  const seen = new Set<bigint>();
  let path = '';
  let block = kernel.at('_CM_KEY_BODY', body).$pointer('KeyControlBlock');
  while (block !== 0n && !seen.has(block) && blocks.length < DEEPEST) {
    const before = known.get(block);
    if (before !== undefined) {
      path = before;
      break;
    }
    seen.add(block);
    const control = kernel.at('_CM_KEY_CONTROL_BLOCK', block);
    const name = control.$pointer('NameBlock');
    blocks.push({ address: block, name: name === 0n ? '' : blockName(kernel, name) });
    block = control.$pointer('ParentKcb');
  }
  // Blocks that name each other as parents have no path of their own that could be kept.
  const sound = block === 0n || path !== '';
  for (const { address, name } of blocks.reverse()) {
    if (name !== '') path += `\\${name}`;
    if (sound) known.set(address, path);
  }
  return path;
}

/** `_CM_NAME_CONTROL_BLOCK`: the name stands behind its length, in bytes of Latin 1 where it is compressed. */
function blockName(kernel: WindowsKernel, address: bigint): string {
  const block = kernel.at('_CM_NAME_CONTROL_BLOCK', address);
  const length = Math.min(512, Number(block.$get('NameLength')));
  const bytes = kernel.space.read(block.$addressOf('Name'), length);
  return (Number(block.$get('Compressed')) & 1) === 1 ? bytes.toString('latin1') : bytes.toString('utf16le');
}
