// Logins of each contender as a program makes them, with what they take of the credential provider: for storms, cold
// connects, and what happens when tokens age, credentials rotate or the server refuses.

import { Signer } from '@aws-sdk/rds-signer'
import mysql from 'mysql2/promise'
import { createAuroraIam, withAuroraIam } from '../contenders/aurora-iam.mjs'
import { bareOptions, versionOf } from '../contenders/bare.mjs'
import { limiters } from './limiters.mjs'
import { wrapperClient } from './wrapper.mjs'

const PACKAGES = [
  'aws-advanced-nodejs-wrapper',
  'bottleneck',
  'limiter',
  'mysql2',
  'p-queue',
  'p-throttle',
  'rate-limiter-flexible',
]

// The clock of this process, which a measure moves: everything that asks for the time sees it.
let aheadMs = 0
const SystemDate = Date
globalThis.Date = class extends SystemDate {
  constructor(...args) {
    if (args.length > 0) super(...args)
    else super(SystemDate.now() + aheadMs)
  }
  static now() {
    return SystemDate.now() + aheadMs
  }
}

export function setUp({ kind, limit = 1_000_000, maxWaitMs = 600_000, ...settings }) {
  const counts = { signings: 0, fetches: 0 }
  let current = settings.iam.credentials
  const credentials = async () => {
    counts.fetches++
    return current
  }
  const open = opener({ kind, limit, maxWaitMs, credentials, counts, settings })
  const versions = Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name, import.meta.url)]))
  let operating
  return {
    versions,
    /** Logs in so many times at once. */
    async logIn(count) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: count }, async () => {
          const connection = await open()
          await connection.end()
        }),
      )
      const errors = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
      return { accepted: count - errors.length, failed: errors.length, error: errors[0]?.message, ...counts }
    },
    /** Starts operations until `stop`: each logs in, queries, and logs out. One begins every `everyMs`. */
    start(everyMs) {
      operating = operate(open, everyMs)
    },
    /** Returns the operations since the last look, and how many were lost. */
    look: () => operating.look(),
    async stop() {
      await operating.stop()
    },
    age(ms) {
      aheadMs += ms
    },
    rotate(credentials) {
      current = credentials
    },
  }
}

function opener({ kind, limit, maxWaitMs, credentials, counts, settings }) {
  const { hostname, port, dial, user, database, ca, iam } = settings
  if (kind === 'aurora-iam') {
    const options = { region: iam.region, credentials, ca, hostname, dial, rateLimit: limit, maxWaitMs }
    const shared = createAuroraIam(options)
    const given = withAuroraIam({ host: hostname, port, user, database }, shared)
    return async () => {
      const connection = await mysql.createConnection(given)
      counts.signings = shared.stats().tokensSigned
      return connection
    }
  }
  if (kind === 'AWS wrapper') {
    return async () => {
      const client = wrapperClient(settings, credentials)
      try {
        await client.connect()
      } finally {
        // It has no count. Each of its signings asks the provider once.
        counts.signings = counts.fetches
      }
      return { query: (sql) => client.query({ sql }), end: () => client.end() }
    }
  }
  const { options } = bareOptions(settings)
  const target = { hostname, port, username: user, region: iam.region, credentials }
  const shared = new Signer(target)
  const sign = () => {
    counts.signings++
    return (kind === 'recipe, a Signer each' ? new Signer(target) : shared).getAuthToken()
  }
  let first
  const passwordOf = kind === 'one token as password' ? () => (first ??= sign()) : sign
  const given = {
    ...options,
    authPlugins: { mysql_clear_password: () => async () => Buffer.from(`${await passwordOf()}\0`) },
  }
  const run = limiters[kind]?.(limit) ?? ((work) => work())
  return () => run(() => mysql.createConnection(given))
}

function operate(open, everyMs) {
  let seen = { done: 0, lost: 0 }
  const pending = new Set()
  const one = async () => {
    try {
      const connection = await open()
      await connection.query('SELECT 1')
      await connection.end()
      seen.done++
    } catch {
      seen.lost++
    }
  }
  const timer = setInterval(() => {
    const operation = one()
    pending.add(operation)
    void operation.then(() => pending.delete(operation))
  }, everyMs)
  return {
    look: async () => {
      const before = seen
      seen = { done: 0, lost: 0 }
      return before
    },
    stop: async () => {
      clearInterval(timer)
      await Promise.all(pending)
    },
  }
}
