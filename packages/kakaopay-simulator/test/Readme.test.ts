import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { DeclineRule } from "../src/Declines.ts"
import { actions } from "../src/Customer.ts"
import { FaultKind, FaultRule } from "../src/Faults.ts"
import { endpoints } from "../src/Requests.ts"
import { defaults } from "../src/Switches.ts"
import { charge, control, issueKey, openWindow, simulator } from "./support.ts"

const textOf = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8")
const launcher = fileURLToPath(new URL("../bin/kakaopay-simulator.js", import.meta.url))
const readme = textOf("../README.md")

const section = (title: string): string => readme.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? ""

/** The cells of every row of the tables in a section, without their heads. */
const rowsOf = (title: string): ReadonlyArray<ReadonlyArray<string>> =>
  section(title)
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim())
    )

const codesIn = (text: string): ReadonlyArray<string> => [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code)

/** The names in the first `{a, b?}` after a phrase; what nests is left out. */
const fieldsAfter = (phrase: string): ReadonlyArray<string> => {
  const shape = /`\{(.*?)\}`/s.exec(readme.slice(readme.indexOf(phrase)))?.[1] ?? ""
  return shape
    .replace(/\{.*?\}/gs, "")
    .split(",")
    .map((part) => /^\s*(\w+)/.exec(part)?.[1] ?? "")
}

const run = (args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const child = spawn(process.execPath, [launcher, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    let printed = ""
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8")
      if (printed.includes("listening")) child.kill("SIGTERM")
    })
    child.once("exit", () => resume(Effect.succeed(printed)))
  })

describe("the README", () => {
  it("shows the example that is tested", () => {
    const block = /^```ts\n(.*?)^```$/ms.exec(readme)?.[1] ?? ""
    const program = block.replaceAll(/"kakaopay-simulator\/(\w+)"/g, '"../src/$1.ts"')
    assert.strictEqual(textOf("./Example.test.ts").replace(/^\/\*\*.*?\*\/\n/s, ""), program)
  })

  it.live(
    "shows the command, what it prints, and every flag",
    () =>
      Effect.gen(function* () {
        const [, command = "", said = ""] = /^```sh\nnpx (.*?)\n# (.*?)\n```$/ms.exec(readme) ?? []
        const [name, ...args] = command.split(" ")
        const { bin } = JSON.parse(textOf("../package.json")) as { readonly bin: object }
        assert.deepStrictEqual(Object.keys(bin), [name])
        const printed = yield* run(args.map((argument) => argument.replace("9090", "0")))
        assert.strictEqual(printed.trim().replace(/\d+$/, "9090"), said)

        const help = yield* run(["--help"])
        const flags = [...help.matchAll(/--([a-z-]+)/g)].map(([flag]) => flag)
        const global = new Set(["--help", "--version", "--completions", "--log-level", "--wizard"])
        assert.sameMembers(
          rowsOf("Run it").map(([flag = ""]) => codesIn(flag)[0] ?? ""),
          [...new Set(flags)].filter((flag) => !global.has(flag))
        )
      }),
    15_000
  )

  it.live("lists control calls that exist", () =>
    Effect.gen(function* () {
      const tid = yield* openWindow()
      const calls = rowsOf("Control API").flatMap(([call = ""]) => {
        const [first = "", ...more] = codesIn(call)
        const [method = ""] = first.split(" ")
        return [first, ...more.map((path) => `${method} ${path}`)]
      })
      assert.isAbove(calls.length, 15)
      for (const call of calls) {
        const [method = "", path = ""] = call.replace(":tid", tid).replace(":action", "open").split(" ")
        const answer = yield* control(method, path.replace("/control", ""))
        assert.notInclude([405, 500], answer.status, call)
        assert.notStrictEqual(answer.json["error"], "unknown-route", call)
      }
    }).pipe(Effect.provide(simulator()))
  )

  it.live("tells the fields of what the control API answers and takes", () =>
    Effect.gen(function* () {
      yield* charge(yield* issueKey())
      const entries = (yield* control("GET", "/ledger")).json["entries"] as ReadonlyArray<object>
      const calls = (yield* control("GET", "/calls")).json["calls"] as ReadonlyArray<object>
      assert.sameMembers(Object.keys(Object(entries[0])), [...fieldsAfter("A ledger entry is")])
      assert.sameMembers(Object.keys(Object(calls[0])), [...fieldsAfter("A logged")])
      assert.sameMembers(Object.keys(FaultRule.fields), [...fieldsAfter("A rule is")])
      assert.sameMembers(Object.keys(DeclineRule.fields), [...fieldsAfter("A decline rule is")])
      const names = codesIn(section("Control API"))
      for (const name of [...endpoints, ...actions]) assert.include(names, name)
    }).pipe(Effect.provide(simulator()))
  )

  it("lists every fault and every switch with its default", () => {
    const kinds = rowsOf("Faults").flatMap(([kind = ""]) => codesIn(kind))
    assert.sameMembers([...kinds], [...FaultKind.literals])
    const switches = rowsOf("Switches").map(([name = "", value = ""]) => [codesIn(name)[0], value.replaceAll("`", "")])
    const expected = Object.entries(defaults).map(([name, value]) => [
      name,
      name === "unauthorizedBody" ? "a -401 body" : String(value)
    ])
    assert.sameDeepMembers(switches, expected)
  })
})
