/**
 * What the billing CLI is made of.
 *
 * @since 0.1.0
 */
import * as IdGenerator from "@pillivery/adapters-memory/IdGenerator"
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import * as Client from "@pillivery/adapters-mysql/Client"
import * as Migrations from "@pillivery/adapters-mysql/Migrations"
import * as Mysql from "@pillivery/adapters-mysql/Mysql"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import { ProtocolSettings, settingsDefault } from "@pillivery/application/Payments/ProtocolSettings"
import { Config, Effect, Layer, Option, Schema } from "effect"
import { hostname } from "node:os"

/** Who this process is, in leases and runs. */
export const workerName = `${hostname().slice(0, 40)}:${process.pid}`

/** A variable that the CLI cannot do without is not set. */
export class VariableMissing extends Schema.TaggedError<VariableMissing>("@pillivery/batch-cli/VariableMissing")(
  "VariableMissing",
  { name: Schema.String }
) {
  override get message() {
    return `${this.name} is not set`
  }
}

const required = Effect.fnUntraced(function* (name: string) {
  const found = yield* Config.option(Config.Redacted(name))
  return Option.isSome(found) ? found.value : yield* new VariableMissing({ name })
})

const database = Layer.unwrap(Effect.map(required("PILLIVERY_MYSQL_URL"), (url) => Client.layer({ url })))

/** The database's ports. */
export const databaseLayer = Mysql.layer.pipe(Layer.provideMerge(database))

/** Brings the schema up to date; answers what was applied. */
export const migrate = Migrations.migrate

const settings = Layer.effect(
  ProtocolSettings,
  Effect.gen(function* () {
    const leaseMillis = yield* Config.Int("PILLIVERY_LEASE_MILLIS").pipe(
      Config.withDefault(settingsDefault.leaseMillis)
    )
    const workerLeaseMillis = yield* Config.Int("PILLIVERY_WORKER_LEASE_MILLIS").pipe(
      Config.withDefault(settingsDefault.workerLeaseMillis)
    )
    return { ...settingsDefault, owner: workerName, leaseMillis, workerLeaseMillis }
  })
)

/** The database's ports and the policy of dunning: enough to tell what a run would do. */
export const previewLayer = Layer.merge(databaseLayer, settings)

/** The database's ports and the way to the provider. */
export const providerLayer = MoneyCalls.layer.pipe(
  Layer.provideMerge(Layer.unwrap(Effect.as(required("PILLIVERY_KAKAOPAY_SECRET_KEY"), KakaoPay.layerConfig))),
  Layer.provideMerge(IdGenerator.layer),
  Layer.provideMerge(settings),
  Layer.provideMerge(databaseLayer)
)
