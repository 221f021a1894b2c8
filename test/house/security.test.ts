import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('SECURITY.md', root), 'utf8')
const references = [...page.matchAll(/^\[(\d+)\]: (\S+) "(.+)"$/gm)].map(([, number, file, title]) => ({
  number: number as string,
  file: file as string,
  title: title as string,
}))

test.each(references)('SECURITY.md, [$number]: $file has the test that it names', ({ file, title }) => {
  expect(existsSync(new URL(file, root)), file).toBe(true)
  expect(readFileSync(new URL(file, root), 'utf8')).toContain(title)
})

test('SECURITY.md: each line of the threat model has a test, or says that there is none', () => {
  const rows = [...page.matchAll(/^\| .*\| ([^|]*?) *\|$/gm)].map(([, last]) => last as string)
  const cells = rows.filter((cell) => cell !== 'Test' && !/^-+$/.test(cell))
  expect(cells.length).toBeGreaterThan(15)
  for (const cell of cells) expect(cell).toMatch(/^(\[\d+\](, \[\d+\])*|none)$/)
  const used = new Set(cells.flatMap((cell) => [...cell.matchAll(/\d+/g)].map(([number]) => number)))
  expect([...used].sort()).toEqual(references.map(({ number }) => number).sort())
})
