import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { LocalAurora } from '@aurora-iam/local'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import mysql from 'mysql2'
import mysqlPromise from 'mysql2/promise'
import mysql315 from 'mysql2-3.15'
import mysql315Promise from 'mysql2-3.15/promise'
import mysql322 from 'mysql2-3.22'
import mysql322Promise from 'mysql2-3.22/promise'
import { afterAll } from 'vitest'
import { type HostileServer, startHostileServer } from '../chaos/hostile-server.ts'

/** One version of mysql2 with both its APIs. */
export interface Mysql2Version {
  readonly name: string
  readonly callbacks: typeof mysql
  readonly promises: typeof mysqlPromise
}

/** The oldest that is supported, the first line that refuses clear passwords by default, and the latest. */
export const VERSIONS: readonly Mysql2Version[] = [
  { name: 'mysql2 3.15.3', ...asLatest(mysql315, mysql315Promise) },
  { name: 'mysql2 3.22', ...asLatest(mysql322, mysql322Promise) },
  { name: 'mysql2 latest', callbacks: mysql, promises: mysqlPromise },
]

// Each version declares the same classes again, which makes them different types.
function asLatest(callbacks: unknown, promises: unknown): Pick<Mysql2Version, 'callbacks' | 'promises'> {
  return { callbacks: callbacks as typeof mysql, promises: promises as typeof mysqlPromise }
}

/** Returns mysql2's options for `aurora`. */
export function addressOf(aurora: LocalAurora, user = 'app') {
  return { host: aurora.host, port: aurora.port, database: aurora.database, user }
}

const HOST = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'

/** A server that follows a script, with mysql2's options and those of IAM that lead to it. */
export interface ScriptedServer {
  readonly server: HostileServer
  readonly address: { readonly host: string; readonly port: number; readonly user: string }
  readonly iam: {
    readonly hostname: string
    readonly port: number
    readonly ca: string
    readonly credentials: typeof STATIC
  }
}

/** Starts a server that follows a script, for all tests of a file. It needs no database. */
export async function scriptedServer(): Promise<ScriptedServer> {
  const server = await startHostileServer(HOST)
  afterAll(() => server.close())
  return {
    server,
    address: { host: '127.0.0.1', port: server.port, user: 'app' },
    iam: { hostname: HOST, port: 3306, ca: server.certificates.ca, credentials: STATIC },
  }
}

/** Creates a provider, which can fail, of AWS credentials that expire after a minute of `clock`. */
export function failingCredentials(aurora: LocalAurora) {
  const source = { isOut: false, clock: () => Date.now() + source.aheadMs, aheadMs: 0 }
  const credentials = async () => {
    if (source.isOut) throw new Error('the metadata service is down')
    return { ...aurora.credentials, expiration: new Date(source.clock() + 60_000) }
  }
  return { source, credentials }
}

/** Returns the socket of a connection, which mysql2's types leave out: that of TLS, once TLS has begun. */
export function streamOf(connection: object): Socket {
  return (connection as { readonly stream: Socket }).stream
}

/** Runs `action` and returns what was rejected meanwhile, or right after, without a handler. */
export async function unhandledDuring(action: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    await action()
    await new Promise((resolve) => setTimeout(resolve, 20))
  } finally {
    process.off('unhandledRejection', note)
  }
  return unhandled
}

/** Returns how the logins during `action` ended, in order: `connect`, or `connect-failed` and the code of its error. */
export async function endingsDuring(action: () => Promise<unknown>): Promise<string[]> {
  const endings: string[] = []
  const note = (event: unknown, channel: string | symbol) => {
    const { error } = event as { error?: { code?: string } }
    endings.push([String(channel).replace('aurora-iam:', ''), error?.code ?? []].flat().join(' '))
  }
  const channels = ['aurora-iam:connect', 'aurora-iam:connect-failed']
  for (const channel of channels) subscribe(channel, note)
  try {
    await action()
  } finally {
    for (const channel of channels) unsubscribe(channel, note)
  }
  return endings
}
