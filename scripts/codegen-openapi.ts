/**
 * Writes the contract of the HTTP API to `docs/reference/openapi.json`, or with `--check` says whether it is stale.
 *
 * @since 0.1.0
 */
import { Api } from "@pillivery/adapters-http/api/Api"
import { OpenApi } from "effect/http-api"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./internal/Workspace.ts"

const name = "docs/reference/openapi.json"
const path = join(root, name)
const content = `${JSON.stringify(OpenApi.fromApi(Api), null, 2)}\n`
const isStale = !existsSync(path) || readFileSync(path, "utf8") !== content

if (process.argv.includes("--check")) {
  if (isStale) {
    console.error(`${name} is stale: run \`npm run codegen\``)
    process.exitCode = 1
  }
} else if (isStale) {
  writeFileSync(path, content)
  console.log(`wrote ${name}`)
}
