import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { passwordUser } from '@aurora-iam/test-support/password-user'
import { describe, expect, test } from 'vitest'
import { VERSIONS } from './support.ts'

const aurora = await localAurora()
const options = await passwordUser(aurora)

describe.each(VERSIONS)('enabled: false with $name', ({ promises }) => {
  test('the same call: it logs in by password', async () => {
    const pool = promises.createPool(withAuroraIam(options, { enabled: false }))
    const [rows] = await pool.query('SELECT CURRENT_USER() AS user')
    expect(rows).toEqual([{ user: expect.stringMatching(/^legacy@/) }])
    await pool.end()
  })

  test('a wrong password: the server’s own error', async () => {
    const wrong = { ...options, password: 'wrong' }
    const connecting = promises.createConnection(withAuroraIam(wrong, { enabled: false }))
    await expect(connecting).rejects.toMatchObject({ errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })
  })
})
