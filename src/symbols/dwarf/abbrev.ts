import { Form } from './constants.js';
import { damaged } from './error.js';

/** How entries of one kind are laid out. */
export interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  /** attribute, form, attribute, form … */
  readonly specs: readonly number[];
  /** the constants of DW_FORM_implicit_const, at the index of the form in `specs` */
  readonly implicit: ReadonlyMap<number, number> | undefined;
}

/**
 * A unit's table of abbreviations (DWARF 5, section 7.5.3), by code.
 * @throws ProfileError
 */
export function readAbbreviations(section: Buffer, offset: number): ReadonlyMap<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  let at = offset;
  const uleb = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = section[at++];
      if (byte === undefined) throw damaged('abbreviations run beyond their section');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  const sleb = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = section[at++];
      if (byte === undefined) throw damaged('abbreviations run beyond their section');
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? value - scale : value;
    }
  };
  for (;;) {
    const code = uleb();
    if (code === 0) return table;
    const tag = uleb();
    const children = section[at++] === 1;
    const specs: number[] = [];
    let implicit: Map<number, number> | undefined;
    for (;;) {
      const attribute = uleb();
      const form = uleb();
      if (form === Form.ImplicitConst) (implicit ??= new Map()).set(specs.length + 1, sleb());
      if (attribute === 0 && form === 0) break;
      specs.push(attribute, form);
    }
    table.set(code, { tag, children, specs, implicit });
  }
}
