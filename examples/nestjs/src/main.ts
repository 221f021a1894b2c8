// A NestJS application whose database logins are IAM tokens, against a Local Aurora.
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/typeorm'
import { type DynamicModule, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { TypeOrmModule } from '@nestjs/typeorm'
import { Account } from './account.ts'
import { Bank } from './bank.ts'

@Module({ providers: [Bank] })
class AppModule {
  /** Starts the module on `aurora`. On Aurora `host` is the cluster's endpoint, and the second argument can be left out. */
  static on({ host, port, iam }: LocalAurora): DynamicModule {
    const database = TypeOrmModule.forRoot(
      withAuroraIam(
        {
          type: 'mysql',
          host,
          port,
          username: 'app',
          database: 'app',
          entities: [Account],
          synchronize: true,
        },
        iam,
      ),
    )
    return { module: AppModule, imports: [database] }
  }
}

await using aurora = await startLocalAurora()
const app = await NestFactory.createApplicationContext(AppModule.on(aurora), { logger: ['error', 'warn'] })
const bank = app.get(Bank)
console.log(`logged in as ${await bank.whoAmI()}, by IAM token`)
await bank.open('Ann', 100)
await bank.open('Ben', 50)
await bank.transfer('Ann', 'Ben', 30)
for (const { owner, balance } of await bank.accounts()) console.log(`${owner} has ${balance}`)
await app.close()
