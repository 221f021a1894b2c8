import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { READER } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { ConnectionError, QueryTypes, Sequelize } from 'sequelize'
import { expect, test } from 'vitest'
import { describeOrm } from './suite.ts'

describeOrm(
  'Sequelize',
  (address, iam) => {
    const dialectOptions = withAuroraIam({ ...address }, iam)
    const sequelize = new Sequelize({ dialect: 'mysql', dialectOptions, pool: { max: 3 }, logging: false })
    return { query: (text) => sequelize.query(text), close: () => sequelize.close() }
  },
  (error) => {
    expect(error).toBeInstanceOf(ConnectionError)
    return (error as ConnectionError).parent
  },
)

test('Sequelize’s replication: the name and the user of each node are signed and verified', async () => {
  await using aurora = await startLocalAurora({ hostnames: [READER], users: ['app', 'reporting'] })
  const { hostname, port, region, credentials, ca } = aurora
  const settings = { region, credentials, ca, dial: { host: aurora.host } }
  const options = withAuroraIam({ host: hostname, port, user: 'app' }, settings)
  // All nodes share dialectOptions, which win over what a node says: the address stays out.
  const { host: write, user: _, ...dialectOptions } = options
  const sequelize = new Sequelize({
    dialect: 'mysql',
    dialectOptions,
    replication: { write: { host: write, username: 'app' }, read: [{ host: READER, username: 'reporting' }] },
    logging: false,
  })
  const who = (useMaster: boolean) =>
    sequelize.query('SELECT CURRENT_USER() AS user', { type: QueryTypes.SELECT, useMaster })
  expect(await who(true)).toEqual([{ user: 'app@%' }])
  expect(await who(false)).toEqual([{ user: 'reporting@%' }])
  const signed = aurora.log.logins.map((login) => `${login.user} ${login.hostname}`)
  expect(new Set(signed)).toEqual(new Set([`app ${hostname}`, `reporting ${READER}`]))
  await sequelize.close()
})

test('dialect mariadb: the error says that the options are for mysql2', async () => {
  await using aurora = await startLocalAurora()
  const dialectOptions = withAuroraIam({ host: aurora.host, port: aurora.port, user: 'app' }, aurora.iam)
  const sequelize = new Sequelize({ dialect: 'mariadb', dialectOptions, logging: false })
  const error = await rejectionOf(sequelize.query('SELECT 1'))
  expect(error).toBeInstanceOf(ConnectionError)
  expect((error as ConnectionError).parent).toMatchObject({
    code: 'ERR_AURORA_IAM_CONFLICTING_OPTIONS',
    message: expect.stringMatching(/another driver than mysql2.*dialect: 'mysql'/),
  })
  expect(aurora.log.connections).toBe(0)
  await sequelize.close()
})
