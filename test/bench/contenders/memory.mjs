// Heap that an open connection keeps, bare and ours.
import { setUp as setUpMysql2 } from './mysql2.mjs'

export async function setUp(settings) {
  const works = await setUpMysql2(settings)
  return {
    versions: works.versions,
    prepare: works.prepare,
    async hold(count) {
      // What the first connections load and cache is not of the others.
      await works.connectTogether(20)
      const before = await heap()
      const close = await works.openMany(count)
      const bytes = (await heap()) - before
      await close()
      return { bytesEach: bytes / count }
    },
  }
}

async function heap() {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
