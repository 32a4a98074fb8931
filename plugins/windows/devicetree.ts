import { orElse } from '../../src/memory/absent.js';
import type { Struct } from '../../src/object/struct.js';
import { deviceType } from '../../src/kernel/windows/objects/device-types.js';
import { attachedTo, deviceName, devicesOf, driverName, findDrivers } from '../../src/kernel/windows/objects/drivers.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const devicetree = definePlugin({
  name: 'devicetree',
  needs: ['windows'],
  topic: 'kernel',
  summary: 'drivers (DRV), their devices (DEV) and what is attached to those (ATT), from the bottom of each stack up',
  notes:
    'Drivers are taken from the namespace, their devices from _DRIVER_OBJECT.DeviceObject and NextDevice, stacks from AttachedDevice. Whoever is attached sees all requests to the device first: filters of file systems, ' +
    'of disks, and keyloggers. A driver that only a device leads to (its name was taken out of the namespace) is shown, too, and said.',
  args: { regex: arg.regex('only drivers whose name matches', { positional: true }) },
  columns: {
    Type: col.string('DRV, DEV, or ATT, one step deeper for each device in the stack', { tree: true, width: 10 }),
    Address: col.address('address of the driver or device object'),
    Name: col.string("the driver's or device's name   _DRIVER_OBJECT.DriverName, _OBJECT_HEADER_NAME_INFO.Name"),
    device_type: col.string('what kind of device it is   _DEVICE_OBJECT.DeviceType', { minor: true }),
    Path: col.string('of an attached device, its driver'),
    driver: col.struct('_DRIVER_OBJECT', 'the driver that the row belongs to', { hidden: true }),
    device: col.struct('_DEVICE_OBJECT', 'the device', { hidden: true }),
  },
  examples: [{ line: 'devicetree regex=atapi' }],
  *collect(context, args) {
    const kernel = windowsOf(context);
    const note = (what: string): void => context.note(`${what}.`);
    const drivers = findDrivers(kernel, note);
    let shown = 0;
    const row = (device: Struct) => ({
      Address: device.$address,
      Name: () => deviceName(kernel, device) || null,
      device_type: () => deviceType(Number(device.$get('DeviceType'))),
      driver: () => device.$get('DriverObject') as Struct | null,
      device,
    });
    for (const { driver, path } of drivers) {
      const name = orElse(() => driverName(driver), '') || path || '';
      if (args.regex && !args.regex.test(name)) continue;
      shown++;
      if (path === undefined) note(`${name || 'A driver'} at 0x${driver.$address.toString(16)} is not in the namespace: only devices lead to it`);
      yield { $depth: 0, Type: 'DRV', Address: driver.$address, Name: name, driver };
      for (const device of devicesOf(kernel, driver, note)) {
        yield { $depth: 1, Type: 'DEV', ...row(device) };
        let depth = 2;
        for (const above of attachedTo(kernel, device, note)) {
          yield { $depth: depth++, Type: 'ATT', ...row(above), Path: () => driverName(above.$get('DriverObject') as Struct) };
        }
      }
    }
    if (drivers.length === 0) note('No driver objects: the namespace has none that can be read; modules lists what is loaded');
    else if (shown === 0) note('No driver of that name; object_tree type_regex=Driver lists them');
  },
});
