import { readFileSync } from 'node:fs'

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
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  const section = text.split(/^## /m).find((part) => part.replace('`', '').startsWith(heading)) ?? ''
  const rows = [...section.matchAll(/^\| `(ERR_\w+|P\d{4})` +\|(.*)\|$/gm)].map(([, code, rest]) => {
    const [meaning = '', retryable, remedy = ''] = (rest as string).split('|').map((cell) => cell.trim())
    return [code as string, { retryable: retryable === 'yes', meaning, remedy }] as const
  })
  return Object.fromEntries(rows)
}
