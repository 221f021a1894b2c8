import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))

const KNEXFILE = `
import { withAuroraIam } from '@aurora-iam/knex'

const { connection, iam } = JSON.parse(process.env.AURORA_SETTINGS)

export default withAuroraIam({ client: 'mysql2', connection }, iam)
`

const MIGRATION = `
export const up = (knex) => knex.schema.createTable('planets', (table) => table.string('name'))
export const down = (knex) => knex.schema.dropTable('planets')
`

const SEED = `
export const seed = (knex) => knex('planets').insert({ name: 'Venus' })
`

/** Both versions, by the folder that holds them. */
const INSTALLED = [
  ['Knex 3.0.1', 'knex-3.0'],
  ['Knex latest', 'knex'],
] as const

const aurora = await localAurora()

describe.each(INSTALLED)('the command line of %s, with a knexfile on IAM', (_name, folderOfKnex) => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(`${here}.cli-`)
    for (const name of ['node_modules', 'migrations', 'seeds']) await mkdir(join(folder, name))
    // The command takes the Knex that it finds from the knexfile.
    const installed = await realpath(join(here, '../node_modules', folderOfKnex))
    await symlink(installed, join(folder, 'node_modules/knex'))
    await writeFile(join(folder, 'knexfile.js'), KNEXFILE)
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'migrations/20260101000000_planets.js'), MIGRATION)
    await writeFile(join(folder, 'seeds/planets.js'), SEED)
  })

  afterAll(() => rm(folder, { recursive: true }))

  async function knex(command: string): Promise<string> {
    const { host, port, database, hostname, region, ca, credentials } = aurora
    const connection = { host, port, database, user: 'app' }
    const settings = JSON.stringify({ connection, iam: { hostname, region, ca, credentials } })
    const cli = join(folder, 'node_modules/knex/bin/cli.js')
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, command], {
      cwd: folder,
      env: { ...process.env, AURORA_SETTINGS: settings },
      timeout: 20_000,
    })
    expect(stderr).toBe('')
    expect(aurora.log.refusals).toEqual([])
    expect(aurora.log.logins.length).toBeGreaterThan(0)
    return stdout
  }

  test('migrate:latest, seed:run, migrate:status and migrate:rollback: they run', async () => {
    expect(await knex('migrate:latest')).toContain('Batch 1 run: 1 migrations')
    expect(await knex('seed:run')).toContain('Ran 1 seed files')
    expect(await knex('migrate:status')).toContain('20260101000000_planets.js')
    expect(await knex('migrate:rollback')).toContain('Batch 1 rolled back: 1 migrations')
    expect(await knex('migrate:rollback')).toContain('Already at the base migration')
  })
})
