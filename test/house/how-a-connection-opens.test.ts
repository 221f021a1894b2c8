import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const page = read('docs/how-a-connection-opens.md')
const all = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, found]) => found as string)),
]

test('each file that the page names: it is in the tree', () => {
  const files = all(page, /`(packages\/[^`]+\.ts)`/g)
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([])
})

test('each step: it has the name of the folder that its file is in', () => {
  const steps = [...page.matchAll(/^\| `(\w+)` +\|[^|]*\| `packages\/\w+\/src\/(\w+)\//gm)]
  const named = steps.slice(0, 7).map(([, step, folder]) => [step, folder])
  expect(named.map(([step]) => step)).toEqual(named.map(([, folder]) => folder))
  const rooms = readdirSync(new URL('packages/core/src', root), { withFileTypes: true })
  const names = rooms.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  for (const room of names.filter((name) => name !== 'util'))
    expect(page).toContain(`packages/core/src/${room}/`)
})

test('the channels: the page names all there are and no others', () => {
  const named = all(page, /`(aurora-iam:[\w-]+)`/g)
  const channels = all(read('packages/core/src/diagnostics.ts'), /channel\('([^']+)'\)/g)
  expect(named.sort()).toEqual(channels.sort())
})

test('each error code that the page names: it is in the list of codes', () => {
  const codes = all(page, /`(ERR_AURORA_IAM_\w+)`/g)
  expect(codes.length).toBeGreaterThan(8)
  const known = all(read('packages/core/src/error-catalogue.ts'), /(ERR_AURORA_IAM_\w+)/g)
  expect(codes.filter((code) => !known.includes(code))).toEqual([])
})

test('each check of the doctor that the page names: the doctor makes it', () => {
  const table = page.split(/^## /m).find((part) => part.startsWith('What each step shows'))
  const checks = all(table ?? '', /^\| `\w+` +\|[^|]*\|([^|]*)\|/gm).flatMap((cell) => all(cell, /`(\w+)`/g))
  const folder = new URL('packages/cli/src/doctor/', root)
  const doctor = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
  expect(checks.length).toBeGreaterThan(5)
  expect(checks.filter((check) => !doctor.includes(`'${check}'`))).toEqual([])
})

test('each window of time that the page names: timings.ts has it', () => {
  const windows = all(page, /`([A-Z]+(?:_[A-Z]+)*_MS)`/g)
  expect(windows.length).toBeGreaterThan(3)
  const known = all(read('packages/core/src/timings.ts'), /export const (\w+)/g)
  expect(windows.filter((name) => !known.includes(name))).toEqual([])
})
