/** What an address or a type says, before anybody knows which names there are. Positions are UTF-16 offsets in the text. */
import type { Place } from './command-tree.js';

export type { Place } from './command-tree.js';

export type AddressExpression = NumberNode | NameNode | MemberNode | IndexNode | UnaryNode | BinaryNode | CastNode;

/** `0x1f`, `31` */
export interface NumberNode extends Place {
  readonly kind: 'number';
  readonly value: bigint;
}

/**
 * `linux!init_task`, `init_task`, `libc`. The dots of a name are kept: whether `init_task.comm` is a symbol or the member of one is
 * for the symbols to say.
 */
export interface NameNode extends Place {
  readonly kind: 'name';
  readonly module?: string;
  readonly symbol: string;
  /** place of the symbol, without the module */
  readonly at: Place;
}

/** `object.name`, `object->name` */
export interface MemberNode extends Place {
  readonly kind: 'member';
  readonly object: AddressExpression;
  readonly name: string;
  /** place of the name */
  readonly at: Place;
}

/** `object[2]` */
export interface IndexNode extends Place {
  readonly kind: 'index';
  readonly object: AddressExpression;
  readonly index: AddressExpression;
}

/** `*x`: the pointer that lies there; `&x`: x, which is an address already; `-x` */
export interface UnaryNode extends Place {
  readonly kind: 'unary';
  readonly operator: '*' | '&' | '-';
  readonly operand: AddressExpression;
}

export interface BinaryNode extends Place {
  readonly kind: 'binary';
  readonly operator: '+' | '-' | '*';
  readonly left: AddressExpression;
  readonly right: AddressExpression;
}

/** `(task_struct)x`, `(task_struct *)x`: what lies at x is a task_struct. */
export interface CastNode extends Place {
  readonly kind: 'cast';
  readonly type: TypeExpression;
  readonly operand: AddressExpression;
}

/** A step into a type: `.mm`, `->mm` or `[3]`. */
export type PathStep = ({ readonly kind: 'member'; readonly name: string } & Place) | ({ readonly kind: 'index'; readonly index: number } & Place);

/** `task_struct`, `linux!task_struct`, `struct task_struct *`, `task_struct[4]`, `task_struct.mm`, `unsigned long` */
export interface TypeExpression extends Place {
  readonly kind: 'type';
  readonly module?: string;
  /** without `struct`, `union` and `enum`; words of C's own types are joined by one space */
  readonly name: string;
  /** place of the name, without the module */
  readonly at: Place;
  /** `.mm.pgd`: what is meant is the type of that member */
  readonly path: readonly PathStep[];
  /** stars behind the name */
  readonly pointers: number;
  /** `[4][8]` behind the stars, or behind a name without path */
  readonly dimensions: readonly number[];
}
