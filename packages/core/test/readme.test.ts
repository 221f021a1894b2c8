import { readFile } from 'node:fs/promises'
import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { beforeAll, expect, test } from 'vitest'
import { adapterIam } from '../src/adapter.ts'
import { channels } from '../src/diagnostics.ts'
import { errorCatalogue } from '../src/error-catalogue.ts'
import { type AuroraIamErrorCode, createAuroraIam } from '../src/index.ts'

let readme: string
const codes = Object.keys(errorCatalogue)

beforeAll(async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')
  readme = await read('../README.md')
})

/** Returns the cells of the rows whose first cell is code, under a heading. */
function table(heading: string): Map<string, string[]> {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const rows = [...section.matchAll(/^\| `([\w:-]+)` +\|(.*)\|$/gm)]
  return new Map(rows.map(([, name, rest]) => [name!, rest!.split('|').map((cell) => cell.trim())]))
}

test('the table of errors: every code, and whether it can be retried', () => {
  const rows = table('Errors')
  expect(codes.length).toBeGreaterThan(10)
  expect([...rows.keys()]).toEqual(codes)
  for (const [code, [meaning, retryable, remedy]] of rows) {
    expect(meaning).not.toBe('')
    expect(remedy).not.toBe('')
    const entry = errorCatalogue[code as AuroraIamErrorCode]
    expect([code, meaning, retryable, remedy]).toEqual([
      code,
      entry.meaning,
      entry.retryable ? 'yes' : 'no',
      entry.remedy,
    ])
  }
})

test('the table of options: every option', () => {
  const { message } = errorThrownBy(() => createAuroraIam({ nonsense: 1 } as never))
  const known = /Known: (.+)\./.exec(message)?.[1]?.split(', ')
  expect([...table('Options').keys()].sort()).toEqual(known)
})

test('the table of events: every channel', () => {
  expect([...table('Events').keys()]).toEqual(Object.values(channels).map(({ name }) => name))
})

test('the table of trust roots: the Regions that are covered, and no others', () => {
  const [, list = ''] = /^Regions with known roots:\n(.*?)\.$/ms.exec(readme) ?? []
  const named = list.split(/,\s+/)
  const { ca } = adapterIam().tls({ hostname: 'x.y', kind: 'other', region: undefined } as never)
  expect(ca).toHaveLength(3 * named.length)
  for (const region of named) {
    const host = `a.cluster-b.${region}.rds.amazonaws.com`
    const iam = adapterIam()
    expect(() => iam.tls(iam.resolve({ host, port: 3306, user: 'app' }))).not.toThrow()
  }
})
