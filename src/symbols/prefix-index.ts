/** Names by how they begin, case ignored: built in one pass, a bucket is sorted when it is first asked for. */
export class PrefixIndex {
  private readonly buckets = new Map<string, { readonly names: string[]; sorted: boolean }>();

  /** @param names repeated ones count once */
  constructor(names: Iterable<string>) {
    for (const name of names) {
      // Two letters: kernel names are spread well enough by them, `__` being the largest bucket with a third of all.
      const key = name.slice(0, KEY).toLowerCase();
      const bucket = this.buckets.get(key);
      if (bucket) bucket.names.push(name);
      else this.buckets.set(key, { names: [name], sorted: false });
    }
  }

  /**
   * Names that begin with a text, sorted.
   * @param most how many are given; `total` counts all of them (repeated ones perhaps twice), and `last` is the last of all (what the first and the last have in
   * common, all have)
   */
  starting(prefix: string, most = Infinity): { readonly names: readonly string[]; readonly total: number; readonly last: string | undefined } {
    const wanted = prefix.toLowerCase();
    const names: string[] = [];
    let total = 0;
    let last: string | undefined;
    const keys = this.keys(wanted);
    for (const key of keys) {
      const whole = key.startsWith(wanted);
      if (whole && names.length >= most && key !== keys.at(-1)) {
        // Only counted: a bucket that is not shown need not be sorted.
        total += this.buckets.get(key)?.names.length ?? 0;
        continue;
      }
      const all = this.bucket(key);
      const from = whole ? 0 : lowerBound(all, wanted);
      let to = whole ? all.length : from;
      while (!whole && to < all.length && (all[to] as string).toLowerCase().startsWith(wanted)) to++;
      total += to - from;
      if (to > from) last = all[to - 1];
      for (let at = from; at < to && names.length < most; at++) names.push(all[at] as string);
    }
    return { names, total, last };
  }

  private keys(wanted: string): string[] {
    if (wanted.length >= KEY) return [wanted.slice(0, KEY)];
    return [...this.buckets.keys()].filter((key) => key.startsWith(wanted)).sort();
  }

  private bucket(key: string): readonly string[] {
    const bucket = this.buckets.get(key);
    if (!bucket) return [];
    if (!bucket.sorted) {
      // Sorted as texts, which takes a third of the time of a comparison that folds case.
      const sorted = bucket.names.map((name) => `${name.toLowerCase()}\0${name}`).sort();
      let kept = 0;
      for (const text of sorted) {
        const name = text.slice(text.indexOf('\0') + 1);
        if (kept === 0 || bucket.names[kept - 1] !== name) bucket.names[kept++] = name;
      }
      bucket.names.length = kept;
      bucket.sorted = true;
    }
    return bucket.names;
  }
}

const KEY = 2;

/** The first place at which a name is not before the text. */
function lowerBound(names: readonly string[], wanted: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string).toLowerCase() < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
