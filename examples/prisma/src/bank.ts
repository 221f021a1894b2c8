import type { Database } from './database.ts'

/** `prisma migrate` does not go through driver adapters: these tables stand in for what your migrations make. */
const TABLES = [
  `CREATE TABLE Account (
    id INT PRIMARY KEY AUTO_INCREMENT,
    owner VARCHAR(50) NOT NULL UNIQUE,
    balance INT NOT NULL DEFAULT 0
  )`,
  `CREATE TABLE Transfer (
    id INT PRIMARY KEY AUTO_INCREMENT,
    amount INT NOT NULL,
    fromId INT NOT NULL,
    toId INT NOT NULL,
    FOREIGN KEY (fromId) REFERENCES Account (id),
    FOREIGN KEY (toId) REFERENCES Account (id)
  )`,
]

/** Makes the tables and two accounts. */
export async function openBank(prisma: Database): Promise<void> {
  for (const table of TABLES) await prisma.$executeRawUnsafe(table)
  await prisma.account.createMany({
    data: [
      { owner: 'Alice', balance: 100 },
      { owner: 'Bob', balance: 50 },
    ],
  })
}

/** Moves money in one transaction: it happens whole, or not at all. */
export async function transfer(prisma: Database, from: string, to: string, amount: number): Promise<void> {
  await prisma.$transaction(async (tx) => {
    const receiver = await tx.account.update({
      where: { owner: to },
      data: { balance: { increment: amount } },
    })
    const sender = await tx.account.update({
      where: { owner: from },
      data: { balance: { decrement: amount } },
    })
    if (sender.balance < 0) throw new Error(`${from} has no ${amount} to send`)
    await tx.transfer.create({ data: { amount, fromId: sender.id, toId: receiver.id } })
  })
}

/** Returns each owner's balance and number of transfers. */
export async function describeAccounts(prisma: Database): Promise<string> {
  const accounts = await prisma.account.findMany({
    orderBy: { owner: 'asc' },
    include: { _count: { select: { sent: true } } },
  })
  return accounts
    .map(({ owner, balance, _count }) => `${owner} has ${balance} (sent ${_count.sent})`)
    .join(', ')
}
