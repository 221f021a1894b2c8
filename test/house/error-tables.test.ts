import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const listed = (pattern: string): string[] =>
  execFileSync('git', ['ls-files', pattern], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean)

/** True for each code that can be retried, from the catalogues of all packages. */
const retryable = new Map(
  listed('packages/*/src/error-catalogue.ts').flatMap((path) =>
    [...read(path).matchAll(/^ {2}(ERR_\w+): \{\s+retryable: (true|false)/gm)].map(
      ([, code, value]) => [code as string, value === 'true'] as const,
    ),
  ),
)
const pages = listed('*.md').filter(
  (path) => !path.startsWith('.changeset/') && !path.endsWith('CHANGELOG.md'),
)

test('each code in a README or in docs/: it is in a catalogue', () => {
  const unknown = pages.flatMap((path) =>
    [...read(path).matchAll(/`(ERR_(?:AURORA_IAM|RATE_LIMIT|LOCAL_AURORA|WIRE)_\w+?)(_?…)?`/g)]
      .filter(([, code, isPrefix]) =>
        isPrefix
          ? ![...retryable.keys()].some((known) => known.startsWith(code as string))
          : !retryable.has(code as string),
      )
      .map(([text]) => `${path}: ${text}`),
  )
  expect(retryable.size).toBeGreaterThan(30)
  expect(unknown).toEqual([])
})

test('each row of codes with a column for retries: it agrees with the catalogue', () => {
  const rows = pages.flatMap((path) =>
    read(path)
      .split(/\n(?=#+ )/)
      .filter((section) => /^\| [^\n]*\| Retry/m.test(section))
      .flatMap((section) => section.match(/^\| `ERR_.*\|$/gm) ?? [])
      .map((row) => ({ path, row })),
  )
  expect(rows.length).toBeGreaterThan(30)
  const wrong = rows.filter(({ row }) => {
    const said = row.split('|').map((cell) => cell.trim())
    const codes = [...(said[1] ?? '').matchAll(/`(ERR_\w+)`/g)].map(([, code]) =>
      retryable.get(code as string),
    )
    const answer = said.slice(2).find((cell) => /^(yes|no)(,|$)/.test(cell))
    return answer !== undefined && codes.some((code) => code !== answer.startsWith('yes'))
  })
  expect(wrong).toEqual([])
})
