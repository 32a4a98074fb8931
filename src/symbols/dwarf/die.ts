/** Where a name stands: nowhere, in .debug_str, in .debug_line_str, in the unit itself. */
export const NameIn = { Nowhere: 0, Str: 1, LineStr: 2, Unit: 3 } as const;

/**
 * One debugging information entry, with the attributes that types and variables need. Numbers that are not stated are -1.
 * Objects are used again and again: a vmlinux has some ten million entries.
 */
export class Die {
  /** 0: the end of a list of siblings */
  tag = 0;
  children = false;
  /** position in the unit behind the attributes: the first child, if it has children, else the next sibling */
  next = 0;
  nameIn = 0;
  nameAt = 0;
  byteSize = -1;
  /** offset of the entry of its type, over .debug_info and .debug_types one behind the other */
  type = -1;
  /** position in the unit of the next sibling */
  sibling = -1;
  declaration = false;
  external = false;
  memberLocation = -1;
  bitSize = -1;
  /** DWARF 2 and 3: counted from the most significant bit of the storage */
  bitOffset = 0;
  hasBitOffset = false;
  dataBitOffset = -1;
  upperBound = -1;
  count = -1;
  encoding = 0;
  /** form, position and implicit value of DW_AT_const_value */
  constForm = 0;
  constAt = 0;
  constImplicit = 0;
  /** position and length of a location expression */
  locationAt = -1;
  locationLength = 0;
  specification = -1;
  strOffsetsBase = -1;
  addrBase = -1;

  clear(): void {
    this.tag = 0;
    this.children = false;
    this.nameIn = 0;
    this.byteSize = -1;
    this.type = -1;
    this.sibling = -1;
    this.declaration = false;
    this.external = false;
    this.memberLocation = -1;
    this.bitSize = -1;
    this.hasBitOffset = false;
    this.dataBitOffset = -1;
    this.upperBound = -1;
    this.count = -1;
    this.encoding = 0;
    this.constForm = 0;
    this.locationAt = -1;
    this.specification = -1;
    this.strOffsetsBase = -1;
    this.addrBase = -1;
  }
}
