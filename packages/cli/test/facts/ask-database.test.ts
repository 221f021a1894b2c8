import { expect, test } from 'vitest'
import { askDatabase } from '../../src/facts/ask-database.ts'

test('no credentials: the reason is one sentence, and the command that finds out more is another', async () => {
  const target = {
    host: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
    port: '3306',
    user: 'app',
    database: undefined,
    iam: { credentials: () => Promise.reject(new Error('expired')) },
  }
  const error: Error = await askDatabase(target).then(
    () => expect.unreachable(),
    (thrown) => thrown,
  )
  expect(error.message).toMatch(/^The database was not asked \(1105\): aurora-iam: credentials: /)
  expect(error.message).toMatch(/[^.]\. Run aurora-iam doctor with the same options\.$/)
})
