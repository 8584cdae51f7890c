/**
 * The shop in this process, on memory, with a sample catalogue and a simulated provider: for demos and tests.
 *
 * @since 0.1.0
 */
import * as App from "./App.ts"
import { type Settings, settingsDefault } from "./Settings.ts"

/** What can be chosen; a port of 0 takes a free one. */
export type Options = Partial<Omit<Settings, "stores">>

/** The shop, listening; `Listening` tells where. */
export const layer = (options: Options = {}) =>
  App.layer({ ...settingsDefault, port: 0, ...options, stores: { _tag: "Memory" } })
