/**
 * Edits between two words: letters inserted, removed, replaced, and neighbours swapped (optimal string alignment, the
 * restricted Damerau-Levenshtein distance).
 */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Words that were perhaps meant, nearest first: few edits away, or beginning with (or containing) what was typed. */
export function similar(typed: string, known: Iterable<string>, count = 3): string[] {
  const word = typed.toLowerCase().replaceAll('-', '_').slice(0, 64);
  if (word === '') return [];
  const allowed = word.length <= 3 ? 1 : word.length <= 6 ? 2 : 3;
  const scored: { name: string; score: number }[] = [];
  for (const name of new Set(known)) {
    const other = name.toLowerCase();
    const edits = Math.abs(other.length - word.length) > allowed ? Infinity : distance(word, other);
    if (edits <= allowed && edits < word.length) scored.push({ name, score: edits });
    else if (word.length >= 3 && other.startsWith(word)) scored.push({ name, score: allowed + 1 });
    else if (word.length >= 4 && other.includes(word)) scored.push({ name, score: allowed + 2 });
  }
  return scored
    .sort((a, b) => a.score - b.score || a.name.length - b.name.length || a.name.localeCompare(b.name))
    .slice(0, count)
    .map(({ name }) => name);
}

/** ` Did you mean netscan?`, or nothing. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const names = similar(typed, known);
  if (names.length === 0) return '';
  const last = names.pop() ?? '';
  return ` Did you mean ${names.length > 0 ? `${names.join(', ')} or ` : ''}${last}?`;
}
