/**
 * The contract: every endpoint of the shop.
 *
 * @since 0.1.0
 */
import { pageSizeMax } from "@pillivery/application/ports/Page"
import { wonMax } from "@pillivery/domain/Won"
import { HttpApi, OpenApi } from "effect/http-api"
import { AdminGroup } from "./Admin.ts"
import { CartsGroup } from "./Carts.ts"
import { ItemsGroup } from "./Items.ts"
import { Refusals } from "./Middleware.ts"
import { OperationsGroup, SandboxGroup } from "./Operations.ts"
import { OrdersGroup } from "./Orders.ts"
import { pageNumberMax } from "./Pages.ts"
import { PaymentsGroup } from "./Payments.ts"
import { ReviewsGroup } from "./Reviews.ts"
import { SocialGroup } from "./Social.ts"
import { SubscriptionsGroup } from "./Subscriptions.ts"
import { NotificationsGroup, UsersGroup } from "./Users.ts"

// What the generator cannot know: a number in a query is text to HTTP and an integer to a client, and the name of an error's
// encoded form says nothing to anybody.
const integerParameters: Readonly<Record<string, { readonly minimum: number; readonly maximum: number }>> = {
  page: { minimum: 1, maximum: pageNumberMax },
  size: { minimum: 1, maximum: pageSizeMax },
  priceMin: { minimum: 0, maximum: wonMax },
  priceMax: { minimum: 0, maximum: wonMax }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const polished = (value: unknown): unknown => {
  if (typeof value === "string") return value.replace(/^(#\/components\/schemas\/\w+)Encoded$/, "$1Problem")
  if (Array.isArray(value)) return value.map(polished)
  if (!isRecord(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => [
    key.replace(/^(\w+)Encoded$/, "$1Problem"),
    polished(inner)
  ])
  const record: Record<string, unknown> = Object.fromEntries(entries)
  const range = record["in"] === "query" ? integerParameters[String(record["name"])] : undefined
  return range === undefined ? record : { ...record, schema: { type: "integer", ...range } }
}

/** The version of the contract. */
export const version = "0.1.0"

// Fields nobody knows are refused in bodies: a client that sends a price or a total must learn that it is not heard.
/** The API. */
export const Api = HttpApi.make("pillivery")
  .add(
    UsersGroup,
    SocialGroup,
    NotificationsGroup,
    ItemsGroup,
    AdminGroup,
    CartsGroup,
    OrdersGroup,
    PaymentsGroup,
    SubscriptionsGroup,
    ReviewsGroup,
    SandboxGroup,
    OperationsGroup
  )
  .middleware(Refusals)
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error" })
  .annotate(OpenApi.Transform, (document) => {
    const transformed = polished(document)
    return isRecord(transformed) ? transformed : document
  })
  .annotateMerge(
    OpenApi.annotations({
      title: "Pillivery",
      version,
      description:
        "Health supplements, once or by subscription. Amounts are whole Korean won, dates of business are Korean dates, " +
        "instants are UTC. Refusals are RFC 9457 problems with a stable `code`.",
      license: { name: "MIT", identifier: "MIT" }
    })
  )
