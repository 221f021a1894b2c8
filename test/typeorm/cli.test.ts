import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { describe, expect, test } from 'vitest'
import { VERSIONS } from './support.ts'

const DATA_SOURCE = fileURLToPath(new URL('../fixtures/typeorm/data-source.mjs', import.meta.url))
const TABLES = "SELECT COUNT(*) AS shops FROM information_schema.tables WHERE table_name = 'shop'"

const aurora = await localAurora()

describe.each(VERSIONS)('the command line of $name', ({ module }) => {
  /** Runs one command. It must exit and write nothing to stderr. */
  async function typeorm(...args: string[]): Promise<string> {
    const cli = createRequire(import.meta.url).resolve(`${module}/cli.js`)
    const { host, port, hostname, region, ca, credentials } = aurora
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [cli, ...args, '--dataSource', DATA_SOURCE],
      {
        timeout: 20_000,
        env: {
          ...process.env,
          NO_COLOR: '1',
          TYPEORM_MODULE: module,
          AURORA_SETTINGS: JSON.stringify({ host, port, hostname, region, ca, credentials }),
        },
      },
    )
    expect(stderr).toBe('')
    return stdout
  }

  test('the DataSource file of the application: a migration runs, queries run, the migration is reverted', async () => {
    aurora.log.clear()
    expect(await typeorm('migration:run')).toContain('CreateShop1700000000000 has been executed successfully')
    expect(await typeorm('query', 'SELECT name FROM shop')).toContain('corner')
    expect(await typeorm('migration:revert')).toContain('has been reverted successfully')
    expect(await typeorm('query', TABLES)).toMatch(/shops\D+0/)
    expect(aurora.log.logins.length).toBe(4)
    expect(aurora.log.refusals).toHaveLength(0)
  })
})
