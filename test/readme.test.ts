import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))
const READER = 'local.cluster-ro-c0local0aur0.us-east-1.rds.amazonaws.com'

// What a README leaves to its reader: where the database is. The calls themselves are the README's, to the letter.
const PRELUDE = `
import * as adapter from '@aurora-iam/mysql2'
const { host, port, readerHost, tunnelPort, user, database, settings } = JSON.parse(process.env.AURORA_SETTINGS)
const { auroraIamCluster, withLoginRetry } = adapter
const createAuroraIam = (options) => adapter.createAuroraIam({ ...settings, ...options })
const withAuroraIam = (options, more = {}) =>
  adapter.withAuroraIam({ port, ...options }, more.login ? more : { ...settings, ...more, ...(more.hostname && { port, dial: undefined }) })
`

// Some blocks end with a pool that nothing has used yet.
const EPILOGUE = `
if (typeof pool !== 'undefined') await pool.query('SELECT 1')
process.exit(0)
`

describe.each([
  ['README.md', 2],
  ['packages/mysql2/README.md', 5],
])('%s', (file, count) => {
  let aurora: LocalAurora
  let folder: string

  beforeAll(async () => {
    aurora = await startLocalAurora({ hostnames: [READER], throttle: false })
    folder = await mkdtemp(`${here}.readme-`)
  })

  afterAll(async () => {
    await aurora.close()
    await rm(folder, { recursive: true })
  })

  test('its code runs as it stands', async () => {
    const blocks = blocksOf(await readFile(new URL(`../${file}`, import.meta.url), 'utf8'))
    expect(blocks.length).toBe(count)
    for (const [index, block] of blocks.entries()) {
      aurora.log.clear()
      await runBlock(`${folder}/${index}.mjs`, block, aurora)
      expect(aurora.log.logins.length, block).toBeGreaterThan(0)
      expect(aurora.log.refusals).toHaveLength(0)
    }
  })
})

function blocksOf(markdown: string): string[] {
  return [...markdown.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code as string)
}

async function runBlock(path: string, block: string, aurora: LocalAurora): Promise<void> {
  const code = block.replaceAll(/^import .* from '@aurora-iam\/mysql2'$/gm, '')
  await writeFile(path, PRELUDE + code + EPILOGUE)
  const { hostname, port, region, ca, credentials } = aurora
  const settings = { region, ca, credentials, dial: { host: aurora.host, port } }
  const place = {
    host: hostname,
    port,
    readerHost: READER,
    tunnelPort: port,
    user: 'app',
    database: 'app',
    settings,
  }
  await run(process.execPath, [path], {
    env: { ...process.env, NODE_ENV: 'production', AURORA_SETTINGS: JSON.stringify(place) },
    timeout: 20_000,
  })
}
