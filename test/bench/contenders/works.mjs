// What contenders that open connections have in common: `open` gives a new physical connection, `close` ends it.

/** Returns the works of a contender. */
export function worksOf({ open, close, query, pool, prepare, versions = {} }) {
  return {
    versions,
    prepare,
    async connectOneByOne(count) {
      for (let i = 0; i < count; i++) await close(await open())
    },
    async connectTogether(count) {
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
