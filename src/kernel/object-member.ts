import type { Struct } from '../object/struct.js';
import type { Kernel } from './kernel.js';

/** A name that a kernel object answers to although its C struct has no such member. */
export interface ObjectMember<K extends Kernel = Kernel> {
  readonly type: 'int' | 'address' | 'physical' | 'string' | 'strings' | 'bool' | 'time' | 'row';
  /** what it is, in a phrase */
  readonly doc: string;
  /** Throws Absent. */
  read(kernel: K, object: Struct): unknown;
}
