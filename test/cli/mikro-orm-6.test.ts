import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildProgram } from '@aurora-iam/test-support/cli-program'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { runUnderExec } from './under-exec.ts'

const aurora = await localAurora()
beforeAll(buildProgram)

// The command line of MikroORM 7 needs Node 22: the matrix runs it.
test('mikro-orm schema:update under exec: the table is there', async () => {
  // Beside the packages of MikroORM 6, so that its command line finds them.
  const folder = await mkdtemp(fileURLToPath(new URL('../orms/mikro-orm-6/.cli-', import.meta.url)))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'package.json'), '{ "devDependencies": { "@mikro-orm/cli": "6" } }')
  await writeFile(join(folder, 'ca.pem'), aurora.ca)
  await writeFile(
    join(folder, 'mikro-orm.config.js'),
    `const { defineConfig, EntitySchema } = require('@mikro-orm/mysql')
const Planet = new EntitySchema({ name: 'Planet', properties: { id: { type: 'number', primary: true } } })
module.exports = defineConfig({ clientUrl: process.env.DATABASE_URL, entities: [Planet] })`,
  )
  await runUnderExec(aurora, folder, ['mikro-orm', 'schema:update', '--run'])
  expect(await runUnderExec(aurora, folder, ['mariadb', '-N', '-e', "SHOW TABLES LIKE 'planet'"])).toBe(
    'planet\n',
  )
})
