/**
 * Every setting of the billing CLI.
 *
 * A setting has one name: as a variable of the environment, as a key of the file, and, without its prefix and in small
 * letters, as a flag. Secrets have no flag, because every user of the machine can read the arguments of a process.
 *
 * @since 0.1.0
 */
import * as KakaoPay from "@pillivery/adapters-kakaopay/KakaoPay"
import * as Client from "@pillivery/adapters-mysql/Client"
import * as ProtocolConfig from "@pillivery/application/Payments/ProtocolConfig"
import { Config, Schema } from "effect"

/** One setting of the CLI. */
export interface Setting {
  readonly name: string
  /** What its value looks like, in one word. */
  readonly shape: string
  /** The default, as it would be written; null when there is none. */
  readonly byDefault: string | null
  readonly meaning: string
  /** How much of its value is never shown. */
  readonly secret: "no" | "password" | "all"
  /** Decodes it, and refuses what is out of its bounds. */
  readonly config: Config.Config<unknown>
}

const prefix = "PILLIVERY_"

/** The flag of a setting, without its dashes; null for a secret. */
export const flagOf = ({ name, secret }: Setting): string | null =>
  secret === "all" ? null : name.slice(prefix.length).toLowerCase().replaceAll("_", "-")

const addressMax = 2_000
const MysqlAddress = Schema.String.check(
  Schema.makeFilter((text: string) => text.length <= addressMax && Client.isUrl(text), {
    expected: "mysql://user:password@host:3306/database"
  })
)

/** Where the database is. */
export const mysqlUrl = Config.schema(Schema.RedactedFromValue(MysqlAddress), "PILLIVERY_MYSQL_URL")

const minuteMillis = 60_000

/** The settings of the database that are numbers. */
export const database = {
  poolSize: ProtocolConfig.whole("PILLIVERY_MYSQL_POOL", {
    minimum: 1,
    maximum: 500,
    shape: "COUNT",
    byDefault: Client.poolSizeDefault,
    meaning: "connections this process keeps at most"
  }),
  connectTimeoutMillis: ProtocolConfig.whole("PILLIVERY_MYSQL_CONNECT_MILLIS", {
    minimum: 1,
    maximum: minuteMillis,
    shape: "MILLIS",
    byDefault: Client.connectTimeoutMillisDefault,
    meaning: "how long making a connection may take"
  }),
  statementTimeoutMillis: ProtocolConfig.whole("PILLIVERY_MYSQL_STATEMENT_MILLIS", {
    minimum: 1,
    maximum: 10 * minuteMillis,
    shape: "MILLIS",
    byDefault: Client.statementTimeoutMillisDefault,
    meaning: "after how long the server gives up on a statement"
  }),
  lockWaitSeconds: ProtocolConfig.whole("PILLIVERY_MYSQL_LOCK_WAIT_SECONDS", {
    minimum: 1,
    maximum: 300,
    shape: "SECONDS",
    byDefault: Client.lockWaitSecondsDefault,
    meaning: "how long a statement waits for the lock of a row"
  })
} as const

const numbered = ({ byDefault, config, meaning, name, shape }: ProtocolConfig.Variable<unknown>): Setting => ({
  name,
  shape,
  byDefault,
  meaning,
  secret: "no",
  config
})

const { client, oneTimeAccount, subscriptionAccount } = KakaoPay.configDefault

/** Who charges: this process, or the server. */
export const via = Config.schema(Schema.Literals(["direct", "api"]), "PILLIVERY_VIA").pipe(Config.withDefault("direct"))

const WebAddress = Schema.URLFromString.check(
  Schema.makeFilter((url: URL) => url.protocol === "http:" || url.protocol === "https:", {
    expected: "an address such as https://shop.internal:8080"
  })
)

/** Where the server is. */
export const apiUrl = Config.schema(WebAddress, "PILLIVERY_API_URL")

const ServiceToken = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(addressMax))

/** What the server knows this process by. */
export const serviceToken = Config.schema(Schema.RedactedFromValue(ServiceToken), "PILLIVERY_SERVICE_TOKEN")

/** Where the newest charge is remembered outside the database. */
export const stateFile = Config.schema(
  Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(addressMax)),
  "PILLIVERY_STATE_FILE"
)

/** All of them, in the order in which they are shown. */
export const settings: ReadonlyArray<Setting> = [
  {
    name: "PILLIVERY_MYSQL_URL",
    shape: "URL",
    byDefault: null,
    meaning: "the database, mysql://user:password@host:3306/database; on the command line without a password",
    secret: "password",
    config: mysqlUrl
  },
  ...Object.values(database).map(numbered),
  {
    name: "PILLIVERY_STATE_FILE",
    shape: "FILE",
    byDefault: null,
    meaning: "a file outside the database that remembers the newest charge, to notice a database that was restored",
    secret: "no",
    config: stateFile
  },
  {
    name: "PILLIVERY_VIA",
    shape: "WAY",
    byDefault: "direct",
    meaning: "who charges in a run: direct, this process, or api, the server",
    secret: "no",
    config: via
  },
  {
    name: "PILLIVERY_API_URL",
    shape: "URL",
    byDefault: null,
    meaning: "where the server is; needed by a run via api",
    secret: "no",
    config: apiUrl
  },
  {
    name: "PILLIVERY_SERVICE_TOKEN",
    shape: "SECRET",
    byDefault: null,
    meaning: "the server's service token; needed by a run via api",
    secret: "all",
    config: serviceToken
  },
  {
    name: "PILLIVERY_KAKAOPAY_SECRET_KEY",
    shape: "SECRET",
    byDefault: null,
    meaning: "the merchant's secret key; needed by whatever calls the provider",
    secret: "all",
    config: KakaoPay.variables.secretKey
  },
  {
    name: "PILLIVERY_KAKAOPAY_URL",
    shape: "URL",
    byDefault: KakaoPay.baseUrlDefault,
    meaning: "where the provider's API is",
    secret: "no",
    config: KakaoPay.variables.baseUrl
  },
  {
    name: "PILLIVERY_KAKAOPAY_CID",
    shape: "CID",
    byDefault: oneTimeAccount,
    meaning: "contract for single payments, at most 10 characters",
    secret: "no",
    config: KakaoPay.variables.oneTimeAccount
  },
  {
    name: "PILLIVERY_KAKAOPAY_SUBSCRIPTION_CID",
    shape: "CID",
    byDefault: subscriptionAccount,
    meaning: "contract that issues billing keys, at most 10 characters",
    secret: "no",
    config: KakaoPay.variables.subscriptionAccount
  },
  {
    name: "PILLIVERY_KAKAOPAY_RESPONSE_MILLIS",
    shape: "MILLIS",
    byDefault: String(client.headersMillisMax),
    meaning: "from the written request to the headers of its answer; 1 to 600000",
    secret: "no",
    config: KakaoPay.variables.headersMillisMax
  },
  ...Object.values(ProtocolConfig.variables).map(numbered)
]
