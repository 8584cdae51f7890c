/**
 * The pages cannot drift from the code: every block of TypeScript is a piece of a program of `docs/examples`, and these
 * programs assert what they claim. `embedding.test.ts` runs them once more, where the packages are installed.
 */
import { globSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { assert, describe, it } from "vitest"
import { run } from "../../scripts/internal/Process.ts"
import { root } from "../../scripts/internal/Workspace.ts"

const exampleTimeoutMillis = 30_000

const textOf = (file: string): string => readFileSync(join(root, file), "utf8")

const examples = globSync("docs/examples/*.ts", { cwd: root }).sort()
const tutorials = globSync("docs/tutorial/*.md", { cwd: root }).sort()
const pages = [...tutorials, "packages/domain/README.md", "packages/application/README.md"]

/** The fenced blocks of a page in one language. */
const blocksOf = (page: string, language: string): ReadonlyArray<string> =>
  [...textOf(page).matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, tag, body]) =>
    tag === language && body !== undefined ? [body.trimEnd()] : []
  )

/** An example without the comment at its head: what a reader of its page has pasted in the end. */
const programOf = (example: string): string => textOf(example).replace(/^\/\*\*\n.*?\n \*\/\n/s, "")

const runExample = (example: string) =>
  run(process.execPath, ["--conditions=@pillivery/source", example], { cwd: root, timeoutMillis: exampleTimeoutMillis })

describe("examples", () => {
  it("are there", () => {
    assert.isAbove(examples.length, 0)
    assert.isAbove(tutorials.length, 0)
  })

  for (const example of examples) {
    it(
      `${example} runs and keeps its assertions`,
      async () => {
        assert.match(textOf(example), /\bassert\.\w+\(/)
        const finished = await runExample(example)
        assert.strictEqual(finished.code, 0, finished.output)
      },
      exampleTimeoutMillis
    )
  }

  it("without a runtime take nothing of effect but values", () => {
    const imports = [...textOf("docs/examples/domain-without-effect-runtime.ts").matchAll(/ from "([^"]+)"/g)]
    const foreign = imports.flatMap(([, from = ""]) => (from.startsWith("@pillivery/domain/") ? [] : [from]))
    assert.deepStrictEqual(foreign, ["effect/Result", "node:assert/strict"])
  })
})

describe("pages", () => {
  for (const page of pages) {
    it(`${page} shows only code of an example`, () => {
      const blocks = blocksOf(page, "ts")
      assert.isAbove(blocks.length, 0)
      const foreign = blocks.filter((block) => !examples.some((example) => textOf(example).includes(`\n${block}\n`)))
      assert.deepStrictEqual(foreign, [])
    })
  }

  for (const tutorial of tutorials) {
    const example = `docs/examples/${basename(tutorial, ".md")}.ts`

    it(`${tutorial} pasted from top to bottom is ${example}`, () => {
      assert.strictEqual(`${blocksOf(tutorial, "ts").join("\n\n")}\n`, programOf(example))
    })

    it(
      `${tutorial} shows what ${example} prints`,
      async () => {
        const { stdout } = await runExample(example)
        assert.strictEqual(`${blocksOf(tutorial, "text").join("\n")}\n`, stdout)
      },
      exampleTimeoutMillis
    )
  }
})
