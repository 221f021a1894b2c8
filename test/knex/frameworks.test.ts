import { readFile } from 'node:fs/promises'
import { runInNewContext } from 'node:vm'
import { auroraIamConnection } from '@aurora-iam/knex'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import knex, { type Knex } from 'knex'
import { expect, test } from 'vitest'

const aurora = await localAurora()
const page = await readFile(new URL('../../docs/knex.md', import.meta.url), 'utf8')
const [strapi = '', adonis = ''] = [...page.matchAll(/^```js\n(.*?)^```$/gms)].map(
  ([, code]) => code as string,
)

/** Completes what a page leaves to its reader: where the database is. */
const onAurora = (options: { host: string; user: string; database: string }) =>
  auroraIamConnection({ ...options, port: aurora.port }, { ...aurora.iam, maxWaitMs: 5_000 })
const env = (name: string) => (/HOST/.test(name) ? aurora.host : 'app')

async function answers(config: Knex.Config): Promise<void> {
  const db = knex({ ...config, client: 'mysql2' })
  const [rows] = await db.raw('SELECT 1 AS one')
  await db.destroy()
  expect(rows).toEqual([{ one: 1 }])
}

test('docs/knex.md, Strapi: the file logs in', async () => {
  const module = { exports: (_given: { env: typeof env }) => ({ connection: {} as Knex.Config }) }
  runInNewContext(strapi, { module, require: () => ({ auroraIamConnection: onAurora }) })
  await answers(module.exports({ env }).connection)
})

test('docs/knex.md, AdonisJS: the entry logs in', async () => {
  const read = runInNewContext(`({ ${adonis} })`, { auroraIamConnection: onAurora, env: { get: env } })
  await answers(read.mysql)
})
