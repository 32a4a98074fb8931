/**
 * Kinds of CodeView type records, as the type streams number them. microsoft-pdb, include/cvinfo.h (enum LEAF_ENUM_e). Names that end in
 * `_ST` hold texts with their length in front (before Visual C++ 7), the others texts that end with a null.
 */
export const Leaf = {
  Modifier: 0x1001,
  Pointer: 0x1002,
  ArraySt: 0x1003,
  ClassSt: 0x1004,
  StructureSt: 0x1005,
  UnionSt: 0x1006,
  EnumSt: 0x1007,
  Procedure: 0x1008,
  MemberFunction: 0x1009,
  AliasSt: 0x1010,
  ArgumentList: 0x1201,
  FieldList: 0x1203,
  BitField: 0x1205,
  BaseClass: 0x1400,
  VirtualBaseClass: 0x1401,
  IndirectVirtualBaseClass: 0x1402,
  FriendFunctionSt: 0x1403,
  Index: 0x1404,
  MemberSt: 0x1405,
  StaticMemberSt: 0x1406,
  MethodSt: 0x1407,
  NestedTypeSt: 0x1408,
  NestedTypeExSt: 0x140d,
  MemberModifySt: 0x140e,
  VirtualFunctionTable: 0x1409,
  FriendClass: 0x140a,
  OneMethodSt: 0x140b,
  VirtualFunctionOffset: 0x140c,
  EnumerateSt: 0x0403,
  Enumerate: 0x1502,
  Array: 0x1503,
  Class: 0x1504,
  Structure: 0x1505,
  Union: 0x1506,
  Enum: 0x1507,
  Alias: 0x150a,
  FriendFunction: 0x150c,
  Member: 0x150d,
  StaticMember: 0x150e,
  Method: 0x150f,
  NestedType: 0x1510,
  OneMethod: 0x1511,
  NestedTypeEx: 0x1512,
  MemberModify: 0x1513,
  ModifierEx: 0x1518,
  Interface: 0x1519,
  BaseInterface: 0x151a,
  Vector: 0x151b,
  /** The three of later compilers (2017 on), with a wider property word. */
  Class2: 0x1608,
  Structure2: 0x1609,
  Union2: 0x160a,
  Interface2: 0x160b,
  /** Those of the stream of ids. */
  FunctionId: 0x1601,
  MemberFunctionId: 0x1602,
  BuildInfo: 0x1603,
  SubstringList: 0x1604,
  StringId: 0x1605,
  UdtSourceLine: 0x1606,
  UdtModuleSourceLine: 0x1607,
} as const;

/** Numbers within records (`LF_NUMERIC`): below 0x8000 the word itself, otherwise what kind of number follows. */
export const Numeric = {
  Char: 0x8000,
  Short: 0x8001,
  UShort: 0x8002,
  Long: 0x8003,
  ULong: 0x8004,
  Real32: 0x8005,
  Real64: 0x8006,
  Real80: 0x8007,
  Real128: 0x8008,
  QuadWord: 0x8009,
  UQuadWord: 0x800a,
  VarString: 0x8010,
  OctWord: 0x8017,
  UOctWord: 0x8018,
} as const;

/** Records that describe no data: shapes and paths of virtual function tables, labels, lists that others refer to. */
const NO_DATA: ReadonlySet<number> = new Set([0x000a, 0x000e, 0x000f, 0x0010, 0x0014, 0x100d, 0x1200, Leaf.ArgumentList, Leaf.FieldList, 0x1204, 0x1206, 0x151d]);

/** Kinds that are known by name and not read: languages and machines that make no kernels, and types that are in another file. */
const NAMES: Readonly<Record<number, string>> = {
  ...{ 0x0016: 'LF_TYPESERVER_ST', 0x020c: 'LF_REFSYM', 0x100a: 'LF_COBOL0', 0x100b: 'LF_BARRAY', 0x100c: 'LF_DIMARRAY_ST', 0x100e: 'LF_PRECOMP_ST', 0x100f: 'LF_OEM', 0x1011: 'LF_OEM2' },
  ...{ 0x1202: 'LF_DEFARG_ST', 0x1207: 'LF_DIMCONU', 0x1208: 'LF_DIMCONLU', 0x1209: 'LF_DIMVARU', 0x120a: 'LF_DIMVARLU', 0x140f: 'LF_MANAGED_ST', 0x1501: 'LF_TYPESERVER' },
  ...{ 0x1508: 'LF_DIMARRAY', 0x1509: 'LF_PRECOMP', 0x150b: 'LF_DEFARG', 0x1514: 'LF_MANAGED', 0x1515: 'LF_TYPESERVER2', 0x1516: 'LF_STRIDED_ARRAY', 0x1517: 'LF_HLSL' },
  ...{ 0x151c: 'LF_MATRIX', 0x151e: 'LF_TAGGED_UNION', 0x151f: 'LF_TAGGED_UNION_CASE', 0x1520: 'LF_TUCASE', 0x1522: 'LF_IFC_RECORD' },
};

/** What a kind of record is called, for messages. */
export function leafName(leaf: number): string {
  return NAMES[leaf] ?? `kind 0x${leaf.toString(16)}`;
}

/** True for a kind of record that describes data or holds it, and that this reader may meet without reading it. */
export function isData(leaf: number): boolean {
  return !NO_DATA.has(leaf);
}
