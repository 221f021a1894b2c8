// Checks that sentences obey the language of this repository. Files that do not yet are in allowed.json with the count of
// their findings, which may fall but not rise. `--update` writes the lower counts; with file names, shows all of theirs.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { checkMarkdown } from './markdown.mjs'
import { checkSource } from './source.mjs'

const ALLOWED = new URL('allowed.json', import.meta.url)
const CHECKED = /\.(ts|mts|mjs|md)$/
// What another program writes, and the phrases with the test that plants them.
const SKIPPED =
  /(^|\/)(generated|CHANGELOG\.md|LICENSE)|^scripts\/language\/words\.mjs$|^test\/house\/language\.test\.ts$/

const args = process.argv.slice(2)
const isUpdate = args.includes('--update')
const wanted = args.filter((arg) => !arg.startsWith('--'))
const allowed = existsSync(ALLOWED) ? JSON.parse(readFileSync(ALLOWED, 'utf8')) : {}

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const files = listed
  .split('\n')
  .filter((path) => CHECKED.test(path) && !SKIPPED.test(path) && existsSync(path))

const counts = {}
let isWorse = false
for (const path of files) {
  if (wanted.length > 0 && !wanted.some((part) => path.includes(part))) continue
  const text = readFileSync(path, 'utf8')
  const found = path.endsWith('.md') ? checkMarkdown(text) : checkSource(path, text)
  if (found.length > 0) counts[path] = found.length
  const isTooMany = found.length > (allowed[path] ?? 0)
  isWorse ||= isTooMany
  if (!isTooMany && wanted.length === 0) continue
  for (const { line, message } of found) console.log(`${path}:${line}: ${message}`)
  if (isTooMany) console.log(`${path}: ${found.length} findings, ${allowed[path] ?? 0} allowed\n`)
}

const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
console.log(`${total} findings in ${Object.keys(counts).length} of ${files.length} files`)
if (isUpdate) {
  const isFirst = Object.keys(allowed).length === 0
  const lower = Object.entries(counts).map(([path, count]) => [
    path,
    isFirst ? count : Math.min(count, allowed[path] ?? 0),
  ])
  writeFileSync(
    ALLOWED,
    `${JSON.stringify(Object.fromEntries(lower.filter(([, count]) => count > 0)), undefined, 2)}\n`,
  )
} else if (isWorse) process.exitCode = 1
