import { orElse } from '../../src/memory/absent.js';
import { MAJOR_FUNCTIONS } from '../../src/kernel/windows/objects/device-types.js';
import { driverName, driverRange, findDrivers, majorFunction } from '../../src/kernel/windows/objects/drivers.js';
import { arg } from '../../src/plugin/args.js';
import { col } from '../../src/plugin/columns.js';
import { definePlugin } from '../../src/plugin/plugin.js';
import { codePlaces } from '../../src/plugin/windows-code.js';
import { windowsOf } from '../../src/plugin/windows-select.js';

export const driverirp = definePlugin({
  name: 'driverirp',
  needs: ['windows'],
  topic: 'kernel',
  summary: "the functions that drivers serve requests with, marked where one lies outside of its driver's image",
  notes:
    'The 28 entries of _DRIVER_OBJECT.MajorFunction of each driver in the namespace. What a driver does not serve is nt!IopInvalidDeviceRequest, and left out unless all is asked for. A function in another driver is ' +
    'what a hook looks like, and also what a class or port driver does for its own kind (atapi and ataport, disk and classpnp). One in no module at all, or where a driver was unloaded from, is never right.',
  args: {
    regex: arg.regex('only drivers whose name matches', { positional: true }),
    hooked: arg.bool("only functions outside of their driver's image", { default: false }),
    all: arg.bool('also what is not served: nt!IopInvalidDeviceRequest', { default: false }),
  },
  columns: {
    divider: col.string('the driver, with the range of its image', { divider: true }),
    driver: col.struct('_DRIVER_OBJECT', 'the driver object', { hidden: true }),
    driver_name: col.string('its name   _DRIVER_OBJECT.DriverName', { hidden: true }),
    idx: col.int('number of the request'),
    function: col.string('what is asked for', { width: 24 }),
    func_addres: col.address('what serves it   _DRIVER_OBJECT.MajorFunction'),
    hook: col.string('where it lies, if not in its driver: kernel, other driver, outside of all modules, unloaded …'),
    name: col.string('the symbol there'),
    module: col.string('the module there', { hidden: true }),
  },
  examples: [{ line: 'driverirp regex=Tcpip' }, { line: 'driverirp hooked=true' }],
  async *collect(context, args) {
    const kernel = windowsOf(context);
    const place = await codePlaces(context);
    const kernelName = (await context.session.resolver(null)).kernelName;
    const invalid = kernel.symbol('IopInvalidDeviceRequest');
    const drivers = findDrivers(kernel, (what) => context.note(`${what}.`));
    let shown = 0;
    let unserved = 0;
    for (const { driver, path } of drivers) {
      const name = orElse(() => driverName(driver), '') || path || '';
      if (args.regex && !args.regex.test(name)) continue;
      const range = orElse(() => driverRange(driver), undefined);
      if (path === undefined) context.note(`${name || 'A driver'} at 0x${driver.$address.toString(16)} is not in the namespace: only devices lead to it.`);
      const hook = (address: bigint): string | null => {
        if (address === invalid || (range && address >= range.start && address < range.end)) return null;
        const { module, fault } = place(address);
        // A driver without an image of its own is part of the kernel.
        if (module === kernelName && range?.start === 0n) return null;
        return fault ?? (module === kernelName ? 'kernel' : 'other driver');
      };
      for (const [idx, label] of MAJOR_FUNCTIONS.entries()) {
        const address = orElse(() => majorFunction(driver, idx), undefined);
        if (address !== undefined && address === invalid && !args.all) {
          unserved++;
          continue;
        }
        const mark = address === undefined ? null : hook(address);
        if (args.hooked && mark === null) continue;
        shown++;
        yield {
          divider: `${name} at 0x${driver.$address.toString(16)}, ${range ? (range.start === 0n ? 'part of the kernel' : `0x${range.start.toString(16)}-0x${range.end.toString(16)}`) : 'range unreadable'}`,
          driver,
          driver_name: name,
          idx,
          function: label,
          func_addres: () => majorFunction(driver, idx),
          hook: mark,
          name: () => (address === undefined ? null : (place(address).symbol ?? null)),
          module: () => (address === undefined ? null : (place(address).module ?? null)),
        };
      }
    }
    if (drivers.length === 0) context.note('No driver objects: the namespace has none that can be read; modules lists what is loaded.');
    else if (shown === 0) context.note(args.hooked ? 'No such function lies outside of its driver.' : unserved > 0 ? `All ${unserved} functions are nt!IopInvalidDeviceRequest; all=true shows them.` : 'No driver of that name; object_tree type_regex=Driver lists them.');
  },
});
