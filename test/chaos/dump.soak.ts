import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildProgram } from '@aurora-iam/test-support/cli-program'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { expect, onTestFinished, test } from 'vitest'
import { runUnderExec } from '../cli/under-exec.ts'

const aurora = await localAurora()

test('mariadb-dump and a restore of 100 MB under aurora-iam exec: the dump of the copy is byte-identical', async () => {
  await buildProgram()
  const folder = await mkdtemp(join(tmpdir(), 'dump-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'ca.pem'), aurora.ca)
  const exec = (script: string) => runUnderExec(aurora, folder, ['sh', '-c', script])
  const dump = 'mariadb-dump --hex-blob --skip-dump-date app large'
  const hash = async (name: string) =>
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')
  await writeFile(
    join(folder, 'fill.sql'),
    `CREATE TABLE large (id INT PRIMARY KEY, bytes BLOB);
     INSERT INTO large SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_50000;`,
  )
  await exec(`mariadb < fill.sql && ${dump} > first.sql`)
  await exec(`mariadb -e 'DROP TABLE large' && mariadb < first.sql && ${dump} > second.sql`)
  expect((await readFile(join(folder, 'first.sql'))).length).toBeGreaterThan(100_000_000)
  expect(await hash('second.sql')).toBe(await hash('first.sql'))
}, 600_000)
