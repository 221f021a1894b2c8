import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { optionFile } from '../../src/exec/option-file.ts'

/** Returns the options that MariaDB's programs read in `text`. */
function optionsIn(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'option-file-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'my.cnf')
  writeFileSync(path, text)
  const printed = execFileSync('my_print_defaults', [`--defaults-file=${path}`, 'client', 'mysql'])
  return printed
    .toString()
    .trimEnd()
    .split(/\n(?=--)/)
}

test.each([
  ["o'brien"],
  ['say "hi"'],
  ['back\\slash\\n'],
  ['a # no comment ; at all'],
  ['[client]'],
  ['two\nlines'],
  ['two"\n[client]\nplugin_dir="/tmp'],
])('the name %j: read as it was given, and no other option', (name) => {
  const endpoint = { host: '127.0.0.1', port: 3307, socket: '', optionFolder: '', password: 'secret' }
  expect(optionsIn(optionFile({ ...endpoint, user: name, database: name }))).toEqual([
    `--user=${name}`,
    '--host=127.0.0.1',
    '--port=3307',
    `--database=${name}`,
  ])
})
