import { tableRows } from '@aurora-iam/test-support/markdown-table'
import { expect, test } from 'vitest'
import { DESCRIPTIONS } from '../src/commands/descriptions.ts'
import { commandExitStatuses, exitStatuses, exitStatusesOf } from '../src/exit-statuses.ts'
import { run } from './run.ts'

const names = Object.keys(DESCRIPTIONS) as Array<keyof typeof DESCRIPTIONS>

test('the table of the README: the list of exit statuses', () => {
  const listed = Object.values(exitStatuses).map((entry) => [
    String(entry.status),
    entry.meaning,
    'command' in entry ? `\`${entry.command}\`` : 'all',
  ])
  expect(tableRows('packages/cli/README.md', 'Exit statuses')).toEqual(listed)
})

test('the table of docs/errors.md: what 0 and 1 mean for each command', () => {
  const listed = Object.entries(commandExitStatuses).map(([name, own]) => [`\`${name}\``, own[0], own[1]])
  expect(tableRows('docs/errors.md', 'Exit statuses')).toEqual(listed)
})

test.each(names)('%s --help: the statuses of the list that the command has', async (name) => {
  const { out } = await run([name, '--help'])
  const shown = [...out.slice(out.indexOf('\nExit status:\n')).matchAll(/^ {2}(\d+) +(.*)$/gm)].map(
    ([, status, meaning]) => [Number(status), meaning],
  )
  expect(shown).toEqual(
    exitStatusesOf(name).map(([status, meaning]) => [status, meaning.replaceAll('`', '')]),
  )
  expect(shown.map(([status]) => status)).toEqual(name === 'exec' ? [0, 1, 2, 126, 127, 128] : [0, 1, 2])
})
