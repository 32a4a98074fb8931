import { Absent, orElse } from '../../../memory/absent.js';
import type { Struct } from '../../../object/struct.js';
import type { WindowsKernel } from '../kernel.js';
import { objectPath, objectTree } from './object-tree.js';
import { objectOfBody } from './objects.js';
import { unicodeText } from '../strings.js';

/** Devices of a driver, and devices stacked on one, at most. */
const MOST_DEVICES = 1 << 16;
const HIGHEST_STACK = 256;

type Fault = ((what: string) => void) | undefined;

/** A driver object. */
export interface FoundDriver {
  /** `_DRIVER_OBJECT` */
  readonly driver: Struct;
  /** its place in the namespace; undefined for one that only its devices lead to */
  readonly path: string | undefined;
}

/**
 * The driver objects of the namespace (\Driver, \FileSystem and wherever else one lies), and then those that only a device leads to: a
 * driver whose name was taken out of the namespace still has its devices in the stacks of others. Other sources (a search of pools) would
 * be put together with these by address.
 */
export function findDrivers(kernel: WindowsKernel, onFault?: (what: string) => void): FoundDriver[] {
  const found = new Map<bigint, FoundDriver>();
  const add = (address: bigint, path: string | undefined): void => {
    if (!found.has(address)) found.set(address, { driver: kernel.at('_DRIVER_OBJECT', address), path });
  };
  const devices = new Set<bigint>();
  try {
    for (const { object, path } of objectTree(kernel, onFault)) {
      if (object.type === 'Driver') add(object.body, path);
      else if (object.type === 'Device') devices.add(object.body);
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    onFault?.(`the namespace cannot be read: ${error.reason}`);
  }
  // A map that grows while it is walked gives what was added, too.
  for (const { driver } of found.values()) for (const device of devicesOf(kernel, driver)) devices.add(device.$address);
  for (const address of devices) {
    const device = kernel.at('_DEVICE_OBJECT', address);
    for (const one of [device, ...attachedTo(kernel, device)]) {
      const owner = orElse(() => one.$pointer('DriverObject'), 0n);
      if (owner !== 0n && !found.has(owner) && isDriver(kernel, owner)) add(owner, undefined);
    }
  }
  return [...found.values()];
}

function isDriver(kernel: WindowsKernel, body: bigint): boolean {
  return orElse(() => objectOfBody(kernel, body).type === 'Driver', false);
}

/** What a driver is called: its own record of its name, as \Driver\Tcpip. Throws Absent. */
export function driverName(driver: Struct): string {
  return unicodeText(driver.$get('DriverName') as Struct);
}

/** First byte of a driver's image and one past its last; both 0 for one that is part of the kernel. Throws Absent. */
export function driverRange(driver: Struct): { readonly start: bigint; readonly end: bigint } {
  const start = driver.$pointer('DriverStart');
  return { start, end: start + BigInt(driver.$get('DriverSize') as number) };
}

/** The devices of a driver (`_DEVICE_OBJECT.NextDevice`), the newest first. */
export function devicesOf(kernel: WindowsKernel, driver: Struct, onFault?: (what: string) => void): Generator<Struct> {
  return chain(kernel, driver, 'DeviceObject', 'NextDevice', MOST_DEVICES, onFault);
}

/** The devices that are attached to one (`_DEVICE_OBJECT.AttachedDevice`), from the one above it to the top of the stack. */
export function attachedTo(kernel: WindowsKernel, device: Struct, onFault?: (what: string) => void): Generator<Struct> {
  return chain(kernel, device, 'AttachedDevice', 'AttachedDevice', HIGHEST_STACK, onFault);
}

function* chain(kernel: WindowsKernel, from: Struct, first: string, next: string, most: number, onFault: Fault): Generator<Struct> {
  const seen = new Set([from.$address]);
  let at = from;
  let member = first;
  for (;;) {
    const address = orElse(() => at.$pointer(member), undefined);
    const here = (): string => `${at.$type} 0x${at.$address.toString(16)}: ${member}`;
    if (address === undefined) onFault?.(`${here()} cannot be read`);
    if (address === undefined || address === 0n) return;
    if (seen.has(address) || seen.size > most) {
      onFault?.(seen.has(address) ? `${here()} leads back to 0x${address.toString(16)}` : `${here()} leads on beyond ${most} devices`);
      return;
    }
    seen.add(address);
    at = kernel.at('_DEVICE_OBJECT', address);
    if (!at.$valid) {
      onFault?.(`the device at 0x${address.toString(16)} cannot be read`);
      return;
    }
    yield at;
    member = next;
  }
}

/** A device's name in the namespace, as \Device\Tcp; empty for one without. Throws Absent. */
export function deviceName(kernel: WindowsKernel, device: Struct): string {
  return objectPath(kernel, objectOfBody(kernel, device.$address));
}

/** Address of the routine that serves one of the MAJOR_FUNCTIONS. Throws Absent. */
export function majorFunction(driver: Struct, index: number): bigint {
  return driver.$space.readPointer(driver.$addressOf('MajorFunction') + BigInt(index * (driver.$space.bits / 8)));
}
