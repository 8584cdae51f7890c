/**
 * Every route of the simulator, to be mounted on a router of yours.
 *
 * @since 0.1.0
 */
import type * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as ControlRoutes from "./internal/ControlRoutes.ts"
import * as CustomerRoutes from "./internal/CustomerRoutes.ts"
import * as PaymentRoutes from "./internal/PaymentRoutes.ts"
import type { Simulator } from "./Simulator.ts"

/** The seven calls, the customer's pages and the control API. */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | Simulator> = Layer.mergeAll(
  PaymentRoutes.layer,
  CustomerRoutes.layer,
  ControlRoutes.layer
)
