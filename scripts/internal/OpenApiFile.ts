/**
 * `docs/reference/openapi.json`, from the contract of the HTTP API.
 *
 * @since 0.1.0
 */
import { Api } from "@pillivery/adapters-http/api/Api"
import { OpenApi } from "effect/http-api"
import { join } from "node:path"
import { root } from "./Workspace.ts"

/** Where the contract is. */
export const path = join(root, "docs/reference/openapi.json")

/** The contract as JSON. */
export const generate = (): string => `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`
