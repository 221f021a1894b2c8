import { tableRows } from './markdown-table.ts'

interface ErrorRow {
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
}

/**
 * Returns the rows of a table of errors in a Markdown file of this repository, by code.
 *
 * @param heading - begin of the heading of the section, such as `'AuroraIamError'`
 */
export function errorTable(file: string, heading: string): Record<string, ErrorRow> {
  const rows = tableRows(file, heading).flatMap(([cell = '', meaning = '', retryable, remedy = '']) => {
    const code = /^`(ERR_\w+|P\d{4})`$/.exec(cell)?.[1]
    return code === undefined ? [] : [[code, { retryable: retryable === 'yes', meaning, remedy }] as const]
  })
  return Object.fromEntries(rows)
}
