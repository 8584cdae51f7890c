/**
 * What the documents say of tests and of the HTTP API is so: each test that a page names is there, and each endpoint and
 * status of the contract has an example whose answer the contract allows.
 */
import { Api } from "@pillivery/adapters-http/api/Api"
import { Schema } from "effect"
import { HttpApi } from "effect/http-api"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { endpoints } from "../../scripts/internal/HttpApiPage.ts"
import { root } from "../../scripts/internal/Workspace.ts"

const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

const rowsOf = (page: string): ReadonlyArray<{ readonly file: string; readonly title: string }> =>
  [...textOf(page).matchAll(/\[[^\]]+\]\(\.\.\/\.\.\/([^)]+)\) \| (.+?) \|$/gm)].map(([, file = "", title = ""]) => ({
    file,
    title: title.trim()
  }))

describe.each(["docs/reference/original-faults.md", "docs/explanation/security.md"])("%s", (page) => {
  it("names tests that are there", () => {
    const rows = rowsOf(page)
    assert.isAbove(rows.length, 20)
    for (const { file, title } of rows) {
      assert.isTrue(existsSync(join(root, file)), file)
      assert.include(textOf(file), title.replaceAll("\\|", "|"), file)
    }
  })
})

const page = textOf("docs/reference/http-api.md")

/** The examples of one endpoint, by status. */
const sectionsOf = (heading: string): ReadonlyMap<number, string> => {
  const start = page.indexOf(`\n## ${heading}\n`)
  if (start === -1) return new Map()
  const end = page.indexOf("\n## ", start + 1)
  const section = page.slice(start, end === -1 ? undefined : end)
  return new Map(
    [...section.matchAll(/^#### (\d+)\n\n```http\n([\s\S]*?)\n```$/gm)].map(([, status, example = ""]) => [
      Number(status),
      example
    ])
  )
}

describe("docs/reference/http-api.md", () => {
  it("has an example of each endpoint and status of the contract, and of no other", () => {
    for (const { method, path, statuses } of endpoints) {
      assert.deepStrictEqual([...sectionsOf(`${method} ${path}`).keys()], [...statuses], `${method} ${path}`)
    }
    const headings = [...page.matchAll(/^## ([A-Z]+ \/.*)$/gm)].map(([, heading]) => heading)
    assert.deepStrictEqual(
      headings,
      endpoints.map(({ method, path }) => `${method} ${path}`)
    )
  })

  it("shows answers that the contract allows", () => {
    let decoded = 0
    HttpApi.reflect(Api, {
      onGroup: () => undefined,
      onEndpoint: ({ endpoint, errors, successes }) => {
        const examples = sectionsOf(`${endpoint.method} ${endpoint.path}`)
        for (const [status, schemas] of [...successes, ...errors]) {
          const example = examples.get(status)
          const body = example?.slice(example.indexOf("\n\n", example.indexOf("\nHTTP/1.1 ")) + 2) ?? ""
          if (example === undefined || !body.startsWith("{") || body.endsWith("…")) continue
          const answer: unknown = JSON.parse(body)
          const isAllowed = schemas.some((schema) => Schema.is(Schema.toEncoded(Schema.toCodecJson(schema)))(answer))
          assert.isTrue(isAllowed, `${endpoint.method} ${endpoint.path} ${status}`)
          decoded++
        }
      }
    })
    assert.isAbove(decoded, 100)
  })
})
