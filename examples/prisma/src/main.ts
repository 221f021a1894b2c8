// A small bank on Prisma and IAM tokens. Against a real cluster `host` is its endpoint and nothing else is needed; here
// the database is a Local Aurora, which checks tokens as the real one does.
import { startLocalAurora } from '@aurora-iam/local'
import { describeAccounts, openBank, transfer } from './bank.ts'
import { connectDatabase } from './database.ts'

await using aurora = await startLocalAurora()
const { host, port, database } = aurora
const prisma = connectDatabase({ host, port, database, user: 'app' }, aurora.iam)

await openBank(prisma)
console.log(await describeAccounts(prisma))
await transfer(prisma, 'Alice', 'Bob', 30)
console.log(await describeAccounts(prisma))
try {
  await transfer(prisma, 'Bob', 'Alice', 500)
} catch (error) {
  console.log(`Refused, and rolled back: ${(error as Error).message}`)
}
console.log(await describeAccounts(prisma))

const { connectionsOpened, tokensSigned, connectionsFailed } = prisma.$iam.status()
console.log(`Connections: ${connectionsOpened}, tokens signed: ${tokensSigned}, failed: ${connectionsFailed}`)
await prisma.$disconnect()
