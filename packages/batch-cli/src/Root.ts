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
import * as ChargeDirectly from "@pillivery/application/Billing/ChargeDirectly"
import * as MoneyCalls from "@pillivery/application/Payments/MoneyCalls"
import * as ProtocolConfig from "@pillivery/application/Payments/ProtocolConfig"
import { ProtocolSettings } from "@pillivery/application/Payments/ProtocolSettings"
import { Config, Effect, Layer, Option, Schema } from "effect"
import { hostname } from "node:os"
import * as StateFile from "./internal/StateFile.ts"
import * as Settings from "./internal/Settings.ts"

/** Who this process is, in leases and runs. */
export const workerName = `${hostname().slice(0, 40)}:${process.pid}`

/** A setting that the verb cannot do without is not set. */
export class SettingMissing extends Schema.TaggedError<SettingMissing>("@pillivery/batch-cli/SettingMissing")(
  "SettingMissing",
  { name: Schema.String }
) {
  override get message() {
    return `${this.name} is not set`
  }
}

const required = Effect.fnUntraced(function* <A>(name: string, config: Config.Config<A>) {
  const found = yield* Config.option(config)
  return Option.isSome(found) ? found.value : yield* new SettingMissing({ name })
})

const databaseNumbers = Config.all({
  poolSize: Settings.database.poolSize.config,
  connectTimeoutMillis: Settings.database.connectTimeoutMillis.config,
  statementTimeoutMillis: Settings.database.statementTimeoutMillis.config,
  lockWaitSeconds: Settings.database.lockWaitSeconds.config
})

const database = Layer.unwrap(
  Effect.gen(function* () {
    const url = yield* required("PILLIVERY_MYSQL_URL", Settings.mysqlUrl)
    return Client.layer({ url, ...(yield* databaseNumbers) })
  })
)

/** The database's ports. */
export const databaseLayer = Mysql.layer.pipe(Layer.provideMerge(database))

/** Brings the schema up to date; answers what was applied. */
export const migrate = Migrations.migrate

const settings = Layer.effect(ProtocolSettings, ProtocolConfig.config(workerName))

/** The database's ports and the policy of dunning: enough to tell what a run would do. */
export const previewLayer = Layer.merge(databaseLayer, settings)

/** What taking over the calls of dead processes needs: the provider is not asked. */
export const recoverLayer = Layer.merge(previewLayer, IdGenerator.layer)

const mark = Layer.unwrap(
  Effect.map(Config.option(Settings.stateFile), (path) =>
    Option.isSome(path) ? StateFile.layer(path.value) : Layer.empty
  )
)

/** The database's ports and the way to the provider. */
export const providerLayer = ChargeDirectly.layer.pipe(
  Layer.provideMerge(MoneyCalls.layer),
  Layer.provideMerge(
    Layer.unwrap(
      Effect.as(required("PILLIVERY_KAKAOPAY_SECRET_KEY", KakaoPay.variables.secretKey), KakaoPay.layerConfig)
    )
  ),
  Layer.provideMerge(IdGenerator.layer),
  Layer.provideMerge(mark),
  Layer.provideMerge(settings),
  Layer.provideMerge(databaseLayer)
)

const apiLayer = Layer.unwrap(
  Effect.gen(function* () {
    const baseUrl = yield* required("PILLIVERY_API_URL", Settings.apiUrl)
    const token = yield* required("PILLIVERY_SERVICE_TOKEN", Settings.serviceToken)
    // Loaded only when wanted: a run that charges by itself needs no HTTP API.
    const [ChargeByServer, NodeHttpClient] = yield* Effect.promise(() =>
      Promise.all([import("@pillivery/adapters-http/ChargeByServer"), import("@effect/platform-node/NodeHttpClient")])
    )
    // How long an answer may take is the gate's to say.
    const http = NodeHttpClient.layerUndiciOptions({
      connections: ChargeByServer.chargesAtOnce,
      headersTimeout: 0,
      bodyTimeout: 0
    })
    return ChargeByServer.layer({ baseUrl, token }).pipe(Layer.provide(http))
  })
)

/** The database's ports and the gate to the charges: in this process, or in the server. */
export const runLayer = Layer.unwrap(
  Effect.map(Settings.via, (via) => (via === "direct" ? providerLayer : Layer.provideMerge(apiLayer, previewLayer)))
)
