import { readFileSync } from 'node:fs'

/**
 * Returns the cells of each row of the tables in one section of a Markdown file of this repository, without the head
 * of a table.
 *
 * @param heading - begin of the heading of the section, such as `'AuroraIamError'`
 */
export function tableRows(file: string, heading: string): string[][] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const section = text.split(/^## /m).find((part) => part.replace('`', '').startsWith(heading)) ?? ''
  const tables = section.match(/^\|.*\n\|[ -|]*\n(?:\|.*\n?)*/gm) ?? []
  return tables.flatMap((table) => table.trim().split('\n').slice(2).map(cellsOf))
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}
