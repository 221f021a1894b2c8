import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import type { LocalAurora } from '@aurora-iam/local'
import { type AuroraIamPrismaOptions, auroraIam } from '@aurora-iam/prisma'
import { PrismaClient as CjsClient } from './generated/cjs/index.js'
import { PrismaClient } from './generated/esm/client.ts'

/** The clients of both generators: `prisma-client`, and the older `prisma-client-js`. */
export const CLIENTS = [
  { generator: 'prisma-client', Client: PrismaClient },
  // The same client by another way: its types are the same, declared again.
  { generator: 'prisma-client-js', Client: CjsClient as unknown as typeof PrismaClient },
] as const

/** Calls `auroraIam` for `aurora`, without a rate limit unless `iam` has one. */
export function auroraIamFor(
  aurora: LocalAurora,
  options: AuroraIamPrismaOptions = {},
  iam: AuroraIam | AuroraIamOptions = { ...aurora.iam, rateLimit: false },
) {
  const place = { host: aurora.host, port: aurora.port, user: 'app', database: 'app' }
  return auroraIam({ ...place, ...options }, iam)
}

/** Opens a client on `aurora` with the extension. */
export function clientFor(...args: Parameters<typeof auroraIamFor>) {
  const { adapter, transactionOptions, extension } = auroraIamFor(...args)
  return new PrismaClient({ adapter, transactionOptions }).$extends(extension())
}

/** A client with the extension. */
export type TestClient = ReturnType<typeof clientFor>

/** Makes the tables of schema.prisma, empty. */
export async function createTables(prisma: Pick<PrismaClient, '$executeRawUnsafe'>): Promise<void> {
  await prisma.$executeRawUnsafe('DROP TABLE IF EXISTS Book, Author')
  await prisma.$executeRawUnsafe(
    'CREATE TABLE Author (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(191) NOT NULL UNIQUE)',
  )
  await prisma.$executeRawUnsafe(
    `CREATE TABLE Book (
      id INT PRIMARY KEY AUTO_INCREMENT,
      title VARCHAR(191) NOT NULL,
      price DECIMAL(10, 2),
      data JSON,
      published DATETIME(3),
      authorId INT NOT NULL,
      FOREIGN KEY (authorId) REFERENCES Author (id)
    )`,
  )
}

/** Locks `table` until the connections of `aurora` are dropped: every reader waits. */
export async function lockTable(aurora: LocalAurora, table: string): Promise<void> {
  const adapter = await auroraIamFor(aurora, { useTextProtocol: true }).adapter.connect()
  const transaction = await adapter.startTransaction()
  await transaction.executeRaw({ sql: `LOCK TABLES ${table} WRITE`, args: [], argTypes: [] })
}

/** Resolves when the database is at work on a statement with `part` in it. */
export async function untilRunning(aurora: LocalAurora, part: string): Promise<void> {
  const adapter = await auroraIamFor(aurora).adapter.connect()
  const sql = `SELECT 1 FROM information_schema.PROCESSLIST
    WHERE LOCATE('${part}', INFO) AND NOT LOCATE('PROCESSLIST', INFO)`
  while ((await adapter.queryRaw({ sql, args: [], argTypes: [] })).rows.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await adapter.dispose()
}
