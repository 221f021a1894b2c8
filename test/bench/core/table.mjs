/** Prints rows as a table: the first cell to the left, the others to the right. */
export function printTable(title, heads, rows) {
  const cells = [heads, ...rows].map((row) => row.map(String))
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const line = (row) =>
    row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[0]))).join('  ')
  console.log(`\n${title}`)
  for (const row of cells) console.log(`  ${line(row)}`.trimEnd())
}

/** Prints the measures of a contest. */
export function printContest(title, measures) {
  for (const { name, contenders } of measures) {
    const rows = contenders.map(({ name, wallUs, cpuUs, wallRatio, cpuRatio }) => [
      name,
      wallUs,
      cpuUs,
      ratio(wallRatio),
      ratio(cpuRatio),
    ])
    printTable(`${title}: ${name}`, ['', 'wall µs', 'CPU µs', 'wall ratio', 'CPU ratio'], rows)
  }
}

function ratio(value) {
  return value ? `${value.median.toFixed(2)} (${value.low.toFixed(2)} to ${value.high.toFixed(2)})` : '1'
}
