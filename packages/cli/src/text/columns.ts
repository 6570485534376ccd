/** Rows as columns two spaces apart, each as wide as its widest cell, trailing blanks cut: Consul's tables (ryanuber/columnize). */
export function columnize(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell.trim()))));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const text = cell.trim();
        return column === row.length - 1 ? text : text + ' '.repeat((widths[column] ?? 0) - width(text));
      });
      return cells.join('  ').trimEnd();
    })
    .join('\n');
}

/**
 * Go's text/tabwriter with blanks as padding, as far as Consul's commands use it: cells end with a tab, a column is a run
 * of adjacent lines that have that cell, and the last cell of a line is in no column.
 */
export function tabulate(text: string, paddingWidth: number, minimumWidth = 0): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths: number[][] = lines.map(() => []);
  for (let row = 0; row < lines.length; row++) {
    const cells = lines[row] ?? [];
    for (let column = 0; column < cells.length - 1; column++) {
      if (widths[row]?.[column] !== undefined) continue;
      measureColumn(lines, widths, row, column, paddingWidth, minimumWidth);
    }
  }
  return lines
    .map((cells, row) =>
      cells.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[row]?.[column] ?? width(cell)) - width(cell)))).join(''),
    )
    .join('\n');
}

function measureColumn(
  lines: readonly string[][],
  widths: number[][],
  first: number,
  column: number,
  padding: number,
  minimum: number,
): void {
  let last = first;
  while (last < lines.length && (lines[last]?.length ?? 0) - 1 > column) last++;
  let widest = 0;
  for (let row = first; row < last; row++) widest = Math.max(widest, width(lines[row]?.[column] ?? ''));
  const total = Math.max(minimum, widest + padding);
  for (let row = first; row < last; row++) {
    const line = widths[row];
    if (line !== undefined) line[column] = total;
  }
}

/** Characters, as Go counts runes. */
function width(text: string): number {
  return Array.from(text).length;
}
