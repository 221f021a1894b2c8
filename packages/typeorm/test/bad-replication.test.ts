import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { AuroraIamError, type MysqlDataSourceOptions, withAuroraIam } from '../src/index.ts'
import { HOST, READER, type Refusal } from './support.ts'

const writer = { host: HOST, username: 'app' }
const reader = { host: READER, username: 'app' }

/** Returns replication options with another writer, another reader or other settings. */
function cluster({ master = {}, slave = {}, ...settings }: Record<string, object | number> = {}): object {
  return {
    replication: {
      master: { ...writer, ...Object(master) },
      slaves: [{ ...reader, ...Object(slave) }],
      ...settings,
    },
  }
}

const REFUSALS: readonly Refusal[] = [
  [
    'a lifetime beside replication',
    cluster(),
    { maxLifetimeMs: 60_000 },
    'CONFLICTING_OPTIONS',
    'maxLifetimeMs',
  ],
  ['a password beside replication', { password: 'x', ...cluster() }, {}, 'PASSWORD_GIVEN', 'password'],
  [
    'a password in a url beside replication',
    { url: `mysql://app:secret@${HOST}/shop`, ...cluster() },
    {},
    'PASSWORD_GIVEN',
    'password',
  ],
  [
    'a url beside replication that cannot be read',
    { url: 'x', ...cluster() },
    {},
    'CONFLICTING_OPTIONS',
    'url',
  ],
  [
    'a password of the writer',
    cluster({ master: { password: 'x' } }),
    {},
    'PASSWORD_GIVEN',
    'replication.master.password',
  ],
  [
    'a password in the url of a reader',
    cluster({ slave: { url: `mysql://app:secret@${READER}/shop` } }),
    {},
    'PASSWORD_GIVEN',
    'replication.slaves[0].password',
  ],
  [
    'ssl of the writer',
    cluster({ master: { ssl: {} } }),
    {},
    'CONFLICTING_OPTIONS',
    'replication.master.ssl',
  ],
  [
    'ssl of a reader',
    cluster({ slave: { ssl: false } }),
    {},
    'CONFLICTING_OPTIONS',
    'replication.slaves[0].ssl',
  ],
  [
    'a socket file of a reader',
    cluster({ slave: { socketPath: '/x' } }),
    {},
    'CONFLICTING_OPTIONS',
    'replication.slaves[0].socketPath',
  ],
  [
    'a reader without a username',
    cluster({ slave: { username: undefined } }),
    {},
    'INVALID_OPTION',
    'replication.slaves[0].username',
  ],
  [
    'a writer at an address',
    cluster({ master: { host: '10.0.0.1' } }),
    {},
    'HOST_NOT_SIGNABLE',
    'replication.master.host',
  ],
  [
    'a url of a reader that is none',
    cluster({ slave: { url: 'shop' } }),
    {},
    'INVALID_OPTION',
    'replication.slaves[0].url',
  ],
  ['no readers', { replication: { master: writer } }, {}, 'INVALID_OPTION', 'replication.slaves'],
  ['no writer', { replication: { slaves: [reader] } }, {}, 'INVALID_OPTION', 'replication.master'],
  [
    'nodes that would be lost permanently',
    cluster({ restoreNodeTimeout: 0 }),
    {},
    'CONFLICTING_OPTIONS',
    'replication.restoreNodeTimeout',
  ],
  [
    'two nodes signed as one endpoint',
    cluster({ master: { host: '127.0.0.1', port: 13_306 }, slave: { host: '127.0.0.1', port: 13_307 } }),
    { hostname: HOST, port: 3306 },
    'CONFLICTING_OPTIONS',
    'hostname',
  ],
  ['a Region that contradicts a reader', cluster(), { region: 'us-east-1' }, 'CONFLICTING_OPTIONS', 'region'],
  [
    'IAM switched off with no password for the writer',
    cluster(),
    { enabled: false },
    'CONFLICTING_OPTIONS',
    'replication.master.password',
  ],
  [
    'IAM switched off with no password for a reader',
    cluster({ master: { password: 'x' } }),
    { enabled: false },
    'CONFLICTING_OPTIONS',
    'replication.slaves[0].password',
  ],
]

describe('bad replication is refused at the call, by the name of the option and of the node', () => {
  test.each(REFUSALS)('%s: refused by name', (_what, options, iam, code, option) => {
    const error = errorThrownBy(() =>
      withAuroraIam({ type: 'mysql', ...options } as MysqlDataSourceOptions, iam),
    )
    expect(error).toBeInstanceOf(AuroraIamError)
    expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
    expect(error.message.startsWith(`${option}:`), error.message).toBe(true)
    expect(error.message).not.toContain('secret')
  })
})
