import { type AuroraIamPrisma, auroraIam } from '@aurora-iam/prisma'
import type { AdapterHarness, Client, HeldConnection } from '../conformance/harness.ts'
import type { PrismaClient } from './generated/esm/client.ts'
import type { TestClient } from './support.ts'

// A connection is held by a transaction, which Prisma would end after 5 seconds.
const HELD_FOR_MS = 60_000

interface Made {
  readonly patient: AuroraIamPrisma
  /** The same with a short limit on the wait for a connection. */
  readonly hasty: AuroraIamPrisma
}

/** Describes a PrismaClient of any generator. */
export function prismaHarness(name: string, Client: typeof PrismaClient): AdapterHarness {
  const open = ({ adapter, transactionOptions, extension }: AuroraIamPrisma) =>
    new Client({ adapter, transactionOptions }).$extends(extension())
  return {
    name,
    // Prisma wraps the errors that it gets: code and message are kept, the cause is in `meta`.
    capabilities: { connectsWhenOpened: false, keepsErrors: false, retriesLogins: true },
    errors: {
      refused: { meta: { driverAdapterError: { cause: { kind: 'AuthenticationFailed' } } } },
      silent: { code: 'P1001' },
    },
    options: ({ connectTimeout, ...place }, iam): Made => {
      const make = (acquireTimeoutMs: number) =>
        auroraIam({ ...place, connectTimeoutMs: connectTimeout, acquireTimeoutMs }, iam)
      return { patient: make(HELD_FOR_MS), hasty: make(30) }
    },
    open: (made) => clientOf(open((made as Made).patient)),
    giveUpWaiting: (made) =>
      open((made as Made).hasty)
        .$connect()
        .catch(() => {}),
    exitProgram: new URL('../fixtures/exit/prisma.mjs', import.meta.url),
  }
}

function clientOf(prisma: TestClient): Client {
  return {
    raw: prisma,
    query: async (sql) => prisma.$queryRawUnsafe(sql),
    hold: () => hold(prisma),
    close: () => prisma.$disconnect(),
  }
}

/** Holds a connection in an interactive transaction, for as long as its callback runs: Prisma hands out none. */
function hold(prisma: TestClient): Promise<HeldConnection> {
  return new Promise((resolve, reject) => {
    let end = () => {}
    let fail = (_reason: Error) => {}
    const until = new Promise<void>((done, failed) => {
      end = done
      fail = failed
    })
    let isRolledBack = false
    const commit = async () => {
      end()
      await over
    }
    const over = prisma.$transaction(
      async (tx) => {
        resolve({
          query: (sql) => tx.$queryRawUnsafe(sql),
          release: () => (isRolledBack ? undefined : commit()),
          transaction: {
            commit,
            rollback: async () => {
              isRolledBack = true
              fail(new Error('rolled back'))
              await over.catch(() => {})
            },
          },
        })
        await until
      },
      { maxWait: HELD_FOR_MS, timeout: HELD_FOR_MS },
    )
    over.catch(reject)
  })
}
