// The process of one contender: sets it up, then does the work that the bench asks for, one piece at a time. Wall time
// and CPU time are those of this process alone: neither the server's nor another contender's are in them.
const contender = await import(new URL(process.argv[2], import.meta.url))
const works = await contender.setUp(JSON.parse(process.env.BENCH_SETTINGS ?? '{}'))

process.on('message', async ({ id, work, args }) => {
  try {
    if (work === 'versions') {
      process.send({ id, result: { node: process.versions.node, ...works.versions } })
      return
    }
    if (!works[work]) throw new Error(`does not know the work ${work}`)
    await works.prepare?.()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const result = await works[work](...args)
    const wallMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(cpu)
    process.send({ id, result: { ...result, wallMs, cpuMs: (user + system) / 1_000 } })
  } catch (error) {
    process.send({ id, error: `${work}: ${error?.stack ?? error}` })
  }
})
