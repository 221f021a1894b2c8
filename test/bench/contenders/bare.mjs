import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Signer } from '@aws-sdk/rds-signer'

const PASSWORD_AGE_MS = 300_000

/**
 * Returns the options of bare mysql2 for the same work: it dials the same address, verifies the same name with the same
 * authority, resumes TLS sessions, and sends a token as a password. `prepare` renews the token between two measures.
 */
export function bareOptions({ hostname, port, dial, user, database, ca, iam, connectTimeout }) {
  const { region, credentials } = iam
  const signer = new Signer({ hostname, port, username: user, region, credentials })
  const options = {
    host: hostname,
    port,
    user,
    database,
    password: undefined,
    enableCleartextPlugin: true,
    connectTimeout,
    // One object, so that mysql2 resumes TLS sessions.
    ssl: { ca, minVersion: 'TLSv1.2', rejectUnauthorized: true, verifyIdentity: true },
    stream: () => {
      const socket = connect(dial.port, dial.host)
      // As mysql2 does with a socket that it opens itself.
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      return socket
    },
  }
  let signedAt = Number.NEGATIVE_INFINITY
  const prepare = async () => {
    if (performance.now() - signedAt < PASSWORD_AGE_MS) return
    options.password = await signer.getAuthToken()
    signedAt = performance.now()
  }
  return { options, prepare, signer }
}

/** Returns the version of a package that the file at `url` sees. */
export function versionOf(name, url) {
  // Not every package exports its package.json.
  for (const folder of createRequire(url).resolve.paths(name)) {
    const file = join(folder, name, 'package.json')
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).version
  }
  throw new Error(`${name} is not installed. Run \`npm run bench\`.`)
}
