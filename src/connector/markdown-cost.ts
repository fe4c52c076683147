/** Characters. Verbs take no longer body. */
const MAX_LENGTH = 65_536;

// The parser's time grows by the square of these. Measured, the worst text within them takes a few seconds, what people
// write some hundred milliseconds, and without them one text took half a minute.
const MAX_CONTAINERS = 2_000;
const MAX_NESTED = 4_000;
const MAX_MARKS_SQUARED = 16_000_000;

/** True for a text whose parsing is bounded in time, and no deeper than `maxDepth` on any line. Linear. */
export function isReadable(text: string, maxDepth: number): boolean {
  if (text.length > MAX_LENGTH) return false;
  const depths = text.split('\n').map(containersOf);
  if (depths.some((depth) => depth > maxDepth)) return false;
  const nested = depths.filter((depth) => depth > 1);
  return (
    sum(depths) <= MAX_CONTAINERS &&
    sum(nested.map((depth) => depth * depth)) <= MAX_NESTED &&
    // Each mark of emphasis or a link is held against all before it in its block.
    sum(text.split(/\n\s*\n/).map((block) => (block.match(/[*_~[]/g)?.length ?? 0) ** 2)) <= MAX_MARKS_SQUARED
  );
}

/** How many quotes and list items a line opens. */
function containersOf(line: string): number {
  const opening = /^(?:[ \t]*(?:>|[-+*](?=[ \t]|$)|\d{1,9}[.)](?=[ \t]|$)))*/.exec(line)?.[0] ?? '';
  return opening.match(/>|[-+*]|\d+/g)?.length ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
