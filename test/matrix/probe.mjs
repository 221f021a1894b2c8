// Runs in the project of a cell: `probe.mjs LIBRARY`. Prints what it ran on, or ends with an error.
import { OPEN } from './libraries.mjs'

const { hostname, host, port, region, ca, credentials, database } = JSON.parse(process.env.AURORA_SETTINGS)
const iam = { hostname, region, ca, credentials }
const address = { host, port, user: 'app', database }

const { Bun, Deno } = globalThis
const runtime = Bun
  ? `Bun ${Bun.version}`
  : Deno
    ? `Deno ${Deno.version.deno}`
    : `Node ${process.versions.node}`

async function check() {
  const { query, close } = await OPEN[process.argv[2]](address, iam)
  const answers = await Promise.all([query('SELECT 1 AS one'), query('SELECT SLEEP(0.05), 1 AS one')])
  for (const rows of answers)
    if (Number(rows[0].one) !== 1) throw new Error(`answered ${JSON.stringify(rows)}`)
  await close()
}

if (process.env.EXPECT_REFUSAL) {
  const outcome = await check().then(
    () => 'connected',
    () => 'refused',
  )
  if (outcome === 'connected') throw new Error('connected to a server with a wrong name')
} else {
  await check()
  await check()
}
console.log(JSON.stringify({ runtime }))
process.exit(0)
