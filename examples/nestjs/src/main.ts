// A NestJS application with a writer and a reader, whose logins are IAM tokens, against a Local Aurora.
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { type AuroraIamOptions, withAuroraIam } from '@aurora-iam/typeorm'
import { type DynamicModule, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { TypeOrmModule } from '@nestjs/typeorm'
import { Account } from './account.ts'
import { Bank } from './bank.ts'

const READER = 'local.cluster-ro-c0local0aur0.us-east-1.rds.amazonaws.com'

@Module({ providers: [Bank] })
class AppModule {
  /** Starts the module on a writer and a reader. On Aurora the second argument can be left out. */
  static on({ hostname: host, port, iam }: LocalAurora, dial: AuroraIamOptions['dial']): DynamicModule {
    const node = { port, username: 'app', database: 'app' }
    const { hostname: _, ...settings } = { ...iam, dial }
    const database = TypeOrmModule.forRoot(
      withAuroraIam(
        {
          type: 'mysql',
          replication: { master: { ...node, host }, slaves: [{ ...node, host: READER }] },
          entities: [Account],
          synchronize: true,
        },
        settings,
      ),
    )
    return { module: AppModule, imports: [database] }
  }
}

await using aurora = await startLocalAurora({ hostnames: [READER] })
const modules = AppModule.on(aurora, { host: aurora.host, port: aurora.port })
const app = await NestFactory.createApplicationContext(modules, { logger: ['error', 'warn'] })
const bank = app.get(Bank)
console.log(`logged in as ${await bank.whoAmI()}, by IAM token`)
await bank.open('Ann', 100)
await bank.open('Ben', 50)
await bank.transfer('Ann', 'Ben', 30)
for (const { owner, balance } of await bank.accounts()) console.log(`${owner} has ${balance}`)
await app.close()
console.log(`tokens, one for each endpoint: ${aurora.log.fingerprints.length}`)
