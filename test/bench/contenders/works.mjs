// What contenders that open connections have in common: `open` gives a new physical connection, `close` ends it.

/**
 * Returns the works of a contender.
 *
 * @param hold - of a contender whose connections belong to a pool: opens one of `size`, and returns how it `acquire`s a
 * connection that stays in use, and `end`s all of them
 */
export function worksOf({ open, close, query, pool, hold, prepare, versions = {} }) {
  return {
    versions,
    prepare,
    async connectOneByOne(count) {
      if (hold) {
        const { acquire, end } = await hold(count)
        for (let i = 0; i < count; i++) await acquire()
        return end()
      }
      for (let i = 0; i < count; i++) await close(await open())
    },
    async connectTogether(count) {
      if (hold) {
        const { acquire, end } = await hold(count)
        await Promise.all(Array.from({ length: count }, () => acquire()))
        return end()
      }
      const opened = await Promise.all(Array.from({ length: count }, () => open()))
      await Promise.all(opened.map((one) => close(one)))
    },
    /** Opens connections, and returns a function that closes them. */
    async openMany(count) {
      const opened = await Promise.all(Array.from({ length: count }, () => open()))
      return () => Promise.all(opened.map((one) => close(one)))
    },
    async queryOneByOne(count) {
      const connection = await open()
      const startedAt = performance.now()
      for (let i = 0; i < count; i++) await query(connection)
      const queriesMs = performance.now() - startedAt
      await close(connection)
      return { queriesMs }
    },
    async queryTogether(count, size) {
      const { run, end } = await pool(size)
      await Promise.all(
        Array.from({ length: size }, async () => {
          for (let i = 0; i < count / size; i++) await run()
        }),
      )
      await end()
    },
  }
}
