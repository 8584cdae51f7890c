import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"

const sources = globSync("*.ts", { cwd: new URL("../src/", import.meta.url) })
const textOf = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), "utf8")

describe("the domain's sources", () => {
  it("are there", () => assert.isAbove(sources.length, 25))

  // The lint rules ban the impure globals; these are the impure corners of modules that are allowed.
  it("read no clock, make no ids and hide no defaults", () => {
    const impure =
      /DateTime\.now|nowUnsafe|withConstructorDefault|withDecodingDefault|Math\.random|new Date\b|Date\.now|randomUUID|console\.|process\./
    for (const file of sources) assert.notMatch(textOf(file), impure, file)
  })

  it("throw nothing", () => {
    for (const file of sources) assert.notMatch(textOf(file), /\bthrow\b|getOrThrow/, file)
  })

  it("import nothing but effect and each other", () => {
    for (const file of sources) {
      for (const [, from] of textOf(file).matchAll(/from "([^"]+)"/g))
        assert.match(from ?? "", /^(effect\/[A-Z][A-Za-z]+|\.\/[A-Za-z]+\.ts)$/, file)
    }
  })

  it("say in a sentence what each export is", () => {
    for (const file of sources) {
      const lines = textOf(file).split("\n")
      lines.forEach((line, index) => {
        if (!/^export (const|class|interface|function|type) /.test(line)) return
        const before = lines[index - 1] ?? ""
        // A type of the same name follows its schema, and a limit may follow its twin.
        if (/^export (const|type) /.test(before) || (/^\}?\)?.*$/.test(before) && line.startsWith("export type ")))
          return
        assert.match(before, /\*\/$/, `${file}: ${line}`)
      })
    }
  })
})
