import type { Struct } from '../../../../object/struct.js';
import { orElse } from '../../../../memory/absent.js';
import { driverName } from '../../objects/drivers.js';
import type { WindowsKernel } from '../../kernel.js';

/** A routine that the kernel calls when something happens. */
export interface Callback {
  /** where it is kept: `nt!PspLoadImageNotifyRoutine`, `_OBJECT_TYPE.CallbackList` */
  readonly type: string;
  /** the function that registers such a routine */
  readonly api: string;
  /** address of the record that holds it */
  readonly offset: bigint;
  /** Address of the routine. Throws Absent where the record cannot be read. */
  callback(): bigint;
  /** What else the record says. Throws Absent. */
  details?(): string | null;
}

export type Fault = (what: string) => void;

/** A GUID as it is written: `{4d36e967-e325-11ce-bfc1-08002be10318}`. */
export function guidText(record: Struct, member: string): string {
  const bytes = record.$space.read(record.$addressOf(member), 16);
  const hex = (from: number, to: number): string => bytes.toString('hex', from, to);
  const swapped = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).reverse().toString('hex');
  return `{${swapped(0, 4)}-${swapped(4, 6)}-${swapped(6, 8)}-${hex(8, 10)}-${hex(10, 16)}}`;
}

/** Name of the driver that a record names by its object; null where it names none. */
export function driverOf(kernel: WindowsKernel, address: bigint): string | null {
  return address === 0n ? null : orElse(() => driverName(kernel.at('_DRIVER_OBJECT', address)), `driver at 0x${address.toString(16)}`);
}

/** The same for the driver of a device. */
export function driverOfDevice(kernel: WindowsKernel, device: bigint): string | null {
  return device === 0n ? null : orElse(() => driverOf(kernel, kernel.at('_DEVICE_OBJECT', device).$pointer('DriverObject')), `device at 0x${device.toString(16)}`);
}
