import type { Struct } from '../../object/struct.js';
import { describeStruct } from '../../object/describe.js';
import type { WindowsKernel } from './kernel.js';
import { type KernelObject, objectName } from './objects.js';
import { unicodeText } from './strings.js';

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
  const header = device - BigInt(kernel.struct('_OBJECT_HEADER').offsetOf('Body'));
  const deviceName = objectName(kernel, { header: kernel.at('_OBJECT_HEADER', header), type: 'Device', body: device });
  return deviceName === '' ? name : `\\Device\\${deviceName}${name}`;
}

/** `\REGISTRY\MACHINE\SOFTWARE`: the names of the key's control blocks, up to the root. */
function keyPath(kernel: WindowsKernel, body: bigint): string {
  const parts: string[] = [];
  const seen = new Set<bigint>();
  let block = kernel.at('_CM_KEY_BODY', body).$pointer('KeyControlBlock');
  while (block !== 0n && !seen.has(block) && parts.length < DEEPEST) {
    seen.add(block);
    const control = kernel.at('_CM_KEY_CONTROL_BLOCK', block);
    const name = control.$pointer('NameBlock');
    if (name !== 0n) parts.unshift(blockName(kernel, name));
    block = control.$pointer('ParentKcb');
  }
  const names = parts.filter((part) => part !== '');
  return names.length === 0 ? '' : `\\${names.join('\\')}`;
}

/** `_CM_NAME_CONTROL_BLOCK`: the name stands behind its length, in bytes of Latin 1 where it is compressed. */
function blockName(kernel: WindowsKernel, address: bigint): string {
  const block = kernel.at('_CM_NAME_CONTROL_BLOCK', address);
  const length = Math.min(512, Number(block.$get('NameLength')));
  const bytes = kernel.space.read(block.$addressOf('Name'), length);
  return (Number(block.$get('Compressed')) & 1) === 1 ? bytes.toString('latin1') : bytes.toString('utf16le');
}
