/**
 * The whole HTTP side: the API, its documentation and what holds for every request.
 *
 * @since 0.1.0
 */
import { Layer } from "effect"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import * as Answer from "./Answer.ts"
import { Api } from "./api/Api.ts"
import * as Authentication from "./Authentication.ts"
import * as Boundary from "./Boundary.ts"
import * as Admin from "./handlers/Admin.ts"
import * as Carts from "./handlers/Carts.ts"
import { InternalApi } from "./api/Internal.ts"
import * as Internal from "./handlers/Internal.ts"
import * as Items from "./handlers/Items.ts"
import * as Operations from "./handlers/Operations.ts"
import * as Orders from "./handlers/Orders.ts"
import * as Payments from "./handlers/Payments.ts"
import * as Reviews from "./handlers/Reviews.ts"
import * as Social from "./handlers/Social.ts"
import * as Subscriptions from "./handlers/Subscriptions.ts"
import * as Users from "./handlers/Users.ts"
import * as ServiceAccess from "./ServiceAccess.ts"

/** Every group's handlers. */
export const layerHandlers = Layer.mergeAll(
  Users.layerUsers,
  Users.layerNotifications,
  Social.layer,
  Items.layer,
  Admin.layer,
  Carts.layer,
  Orders.layer,
  Payments.layer,
  Subscriptions.layer,
  Reviews.layer,
  Operations.layerSandbox,
  Operations.layerOperations
).pipe(Layer.provideMerge([Authentication.layer, Authentication.layerAdministration, Answer.layerRefusals]))

/** Every route, to be put on a server. */
export const layer = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: Boundary.openapiPath }).pipe(Layer.provide(layerHandlers)),
  HttpApiScalar.layer(Api, { path: Boundary.docsPath, scalar: { withDefaultFonts: false } }),
  Boundary.layer
)

/** The routes of the internal API, for a server that has a service token. */
export const layerInternal = HttpApiBuilder.layer(InternalApi).pipe(
  Layer.provide(Internal.layer.pipe(Layer.provideMerge([ServiceAccess.layer, Answer.layerRefusals])))
)
