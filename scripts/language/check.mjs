// Checks that sentences obey the language of this repository: of all files, or of those whose names contain an
// argument.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { checkMarkdown } from './markdown.mjs'
import { checkSource } from './source.mjs'

const CHECKED = /\.(ts|mts|mjs|md)$/
// What another program writes, and the phrases with the test that plants them.
const SKIPPED =
  /(^|\/)(generated|CHANGELOG\.md|LICENSE)|^scripts\/language\/words\.mjs$|^test\/house\/language\.test\.ts$/

const wanted = process.argv.slice(2)

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
const files = listed
  .split('\n')
  .filter((path) => CHECKED.test(path) && !SKIPPED.test(path) && existsSync(path))

let total = 0
for (const path of files) {
  if (wanted.length > 0 && !wanted.some((part) => path.includes(part))) continue
  const text = readFileSync(path, 'utf8')
  const found = path.endsWith('.md') ? checkMarkdown(text) : checkSource(path, text)
  for (const { line, message } of found) console.log(`${path}:${line}: ${message}`)
  total += found.length
}

console.log(`${total} findings in ${files.length} files`)
if (total > 0) process.exitCode = 1
