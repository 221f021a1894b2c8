import { withAuroraIam } from '@aurora-iam/mysql2'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { VERSIONS } from './support.ts'

const HOST = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

test.each(VERSIONS)(
  'dial as a function, $name: called once for each connection, with its user, and the error names its address',
  async ({ promises }) => {
    const asked: string[] = []
    const dial = ({ username }: { username: string }) => {
      asked.push(username)
      return { host: `127.0.0.${asked.length}`, port: 1 }
    }
    const options = withAuroraIam(
      { host: HOST, user: 'app' },
      { credentials: STATIC, dial, rateLimit: false },
    )
    expect(asked).toEqual([])
    const users = ['app', 'app', 'report']
    for (const [index, user] of users.entries()) {
      const error = await rejectionOf(promises.createConnection({ ...options, user } as never))
      expect(error).toMatchObject({
        code: 'ECONNREFUSED',
        message: expect.stringContaining(`127.0.0.${index + 1}:1`),
      })
    }
    expect(asked).toEqual(users)
  },
)
