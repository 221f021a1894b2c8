import { startLocalAurora } from '@aurora-iam/local'

/** Starts a Local Aurora, which runs in the process of the bench, and never in that of a contender. */
export async function startServer(options = {}) {
  const aurora = await startLocalAurora({ throttle: false, ...options })
  return { aurora, settings: settingsOf(aurora) }
}

/** Returns what a contender needs to log in. */
function settingsOf(aurora) {
  const { host, port, hostname, region, ca, credentials, database } = aurora
  return { hostname, port, dial: { host, port }, user: 'app', database, ca, iam: { region, credentials } }
}
