import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { buildProgram, programPath, runProgram } from './built-program.ts'
import { run } from './run.ts'

buildProgram()

const COMMANDS = [
  'exec',
  'proxy',
  'token',
  'explain',
  'doctor',
  'policy',
  'sql',
  'terraform',
  'cdk',
  'ca',
  'local',
  'plan',
  'fleet',
  'completion',
]

/** Returns the files of modules that a run of the program loads. */
async function modulesOf(...args: string[]): Promise<string[]> {
  const loader = fileURLToPath(new URL('fixtures/print-modules.mjs', import.meta.url))
  const options = ['--import', loader, programPath, ...args]
  const { stderr } = await promisify(execFile)(process.execPath, options)
  return stderr.split('\n').flatMap((line) => (line.startsWith('module ') ? [line.slice(7)] : []))
}

describe('start-up', () => {
  test('--help loads commander and the commands: no AWS SDK, no driver, not core', async () => {
    const modules = await modulesOf('--help')
    const packages = new Set(
      modules.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []),
    )
    expect([...packages]).toEqual(['commander'])
    expect(modules.filter((url) => /packages\/(core|local|wire|rate-limit)\//.test(url))).toEqual([])
    expect(modules.length).toBeLessThan(50)
  })

  test('a command that signs nothing: it does not load the AWS SDK', async () => {
    const modules = await modulesOf('plan', '--processes', '2')
    expect(modules.filter((url) => url.includes('@aws-sdk') || url.includes('mysql2'))).toEqual([])
  })
})

describe('help', () => {
  test('--help of the program: every command is listed', async () => {
    const { out } = await run(['--help'])
    for (const command of COMMANDS) expect(out).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  test.each(COMMANDS)('%s: options, one example, exit statuses', async (command) => {
    const { status, out } = await run([command, '--help'])
    expect(status).toBe(0)
    expect(out).toContain(`Usage: aurora-iam ${command}`)
    expect(out).toMatch(/\nExample:\n {2}.*aurora-iam /)
    expect(out).toMatch(/\nExit status:\n {2}0 /)
  })
})

describe('arguments that a command does not take', () => {
  test.each([
    [['doctor', 'extra'], /got 1\. See aurora-iam doctor --help\n$/],
    [['plan', '--proceses', '2'], / \(Did you mean --processes\?\)\. See aurora-iam plan --help\n$/],
    [['plann'], / \(Did you mean plan\?\)\. See aurora-iam --help\n$/],
  ])('%j: one line that names the help of the command', async (args, said) => {
    const { status, error } = await run(args)
    expect(status).toBe(2)
    expect(error).toMatch(said)
    expect(error.trim()).not.toContain('\n')
  })

  test('proxy --help: an address is required, with its replacement', async () => {
    expect((await run(['proxy', '--help'])).out).toContain('required, unless --socket or --config')
  })
})

test('piped output: no escape sequence', async () => {
  const { out } = await runProgram(['plan', '--processes', '2', '--max-connections', '1'])
  expect(out).toContain('does not hold')
  expect(out).not.toContain('\u001b')
})

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('%s: a script that asks the program', async (shell) => {
    const { status, out } = await runProgram(['completion', shell])
    expect(status).toBe(0)
    expect(out).toContain('complete')
  })

  test('completion of the program: commands and options are suggested', async () => {
    expect((await runProgram(['complete', '--', 'pro'])).out).toContain('proxy')
    expect((await runProgram(['complete', '--', 'proxy', '--drain'])).out).toContain('--drain-ms')
  })
})
