import { assert, describe, it } from "@effect/vitest"
import { Api } from "@pillivery/adapters-http/api/Api"
import { Context } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { readFileSync } from "node:fs"

const document = OpenApi.fromApi(Api)

describe("the contract", () => {
  it("is the committed one", () => {
    const committed = readFileSync(new URL("../../../docs/reference/openapi.json", import.meta.url), "utf8")
    assert.deepStrictEqual(JSON.parse(committed), JSON.parse(JSON.stringify(document)))
  })

  it("FV4: is OpenAPI 3.1 with short names", () => {
    assert.strictEqual(document.openapi, "3.1.0")
    for (const name of Object.keys(document.components.schemas)) assert.match(name, /^[A-Z][A-Za-z]+$/)
  })

  it("gives every endpoint a summary, and a problem for what is malformed and what is broken", () => {
    HttpApi.reflect(Api, {
      onGroup: () => undefined,
      onEndpoint: ({ endpoint, errors, mergedAnnotations }) => {
        assert.isString(Context.getOrUndefined(mergedAnnotations, OpenApi.Summary), endpoint.identifier)
        for (const status of [400, 500, 503]) assert.isTrue(errors.has(status), `${endpoint.identifier} ${status}`)
      }
    })
  })

  it("says that numbers in a query are integers within bounds", () => {
    const size = document.paths["/api/items/search"]?.get?.parameters.find(({ name }) => name === "size")
    assert.deepStrictEqual(size?.schema, { type: "integer", minimum: 1, maximum: 100 })
  })
})
