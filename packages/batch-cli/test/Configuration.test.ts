import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Shop from "./Shop.ts"

const Shown = Schema.fromJsonString(
  Schema.Struct({
    file: Schema.NullOr(Schema.String),
    settings: Schema.Array(
      Schema.Struct({ name: Schema.String, value: Schema.NullOr(Schema.String), source: Schema.String })
    )
  })
)

const shownBy = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) {
  const { code, stderr, stdout } = yield* Shop.cli(["config", "--json", ...args], env)
  assert.strictEqual(code, 0, stderr)
  const { settings } = yield* Schema.decodeUnknownEffect(Shown)(stdout)
  return { text: stdout + stderr, stderr, of: (name: string) => settings.find((setting) => setting.name === name) }
})

const fileWith = Effect.fnUntraced(function* (content: string, mode = 0o600) {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempFileScoped()
  yield* files.writeFileString(path, content)
  yield* files.chmod(path, mode)
  return path
})

const refusedBy = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  says: ReadonlyArray<string>
) {
  const { code, stderr, stdout } = yield* Shop.cli(args, env)
  assert.strictEqual(code, 2, stdout)
  assert.strictEqual(stdout, "")
  assert.strictEqual(stderr.trim().split("\n").length, 1, stderr)
  for (const word of says) assert.include(stderr, word)
})

describe("The configuration of the CLI", () => {
  it.live(
    "takes a flag before the environment, the environment before the file, and the file before the default",
    () =>
      Effect.gen(function* () {
        const path = yield* fileWith(
          "# billing\nPILLIVERY_LEASE_MILLIS=1\nexport PILLIVERY_GRACE_HOURS=2\nPILLIVERY_FINAL_ACTION=pause\n"
        )
        const env = { PILLIVERY_CONFIG: path, PILLIVERY_LEASE_MILLIS: "3", PILLIVERY_GRACE_HOURS: "4" }
        const { of } = yield* shownBy(["--lease-millis", "5"], env)
        assert.deepStrictEqual(of("PILLIVERY_LEASE_MILLIS"), {
          name: "PILLIVERY_LEASE_MILLIS",
          value: "5",
          source: "flag"
        })
        assert.deepStrictEqual(of("PILLIVERY_GRACE_HOURS"), {
          name: "PILLIVERY_GRACE_HOURS",
          value: "4",
          source: "environment"
        })
        assert.deepStrictEqual(of("PILLIVERY_FINAL_ACTION"), {
          name: "PILLIVERY_FINAL_ACTION",
          value: "pause",
          source: "file"
        })
        assert.deepStrictEqual(of("PILLIVERY_LADDER_DAYS"), {
          name: "PILLIVERY_LADDER_DAYS",
          value: "1,3,5",
          source: "default"
        })
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)),
    30_000
  )

  it.live(
    "shows no secret, whatever its source, and warns of a file that others may read",
    () =>
      Effect.gen(function* () {
        const secrets = {
          PILLIVERY_MYSQL_URL: "mysql://shop:tigerlily@db/shop",
          PILLIVERY_KAKAOPAY_SECRET_KEY: "PRDsesame"
        }
        const path = yield* fileWith(JSON.stringify({ ...secrets, PILLIVERY_GRACE_HOURS: 24 }), 0o644)
        const fromFile = yield* shownBy(["--config", path], {})
        const fromEnvironment = yield* shownBy([], secrets)
        for (const { of, text } of [fromFile, fromEnvironment]) {
          assert.notMatch(text, /tigerlily|sesame/)
          assert.strictEqual(of("PILLIVERY_MYSQL_URL")?.value, "mysql://shop:redacted@db/shop")
          assert.strictEqual(of("PILLIVERY_KAKAOPAY_SECRET_KEY")?.value, "<redacted>")
        }
        assert.strictEqual(fromFile.of("PILLIVERY_GRACE_HOURS")?.value, "24")
        assert.include(fromFile.stderr, "others may read it")
        assert.strictEqual(fromEnvironment.stderr, "")
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)),
    30_000
  )

  it.live(
    "refuses with 2 and one line what is unknown, out of bounds, unreadable or secret on the command line",
    () =>
      Effect.gen(function* () {
        const misspelt = yield* fileWith("PILLIVERY_LEESE_MILLIS=1")
        yield* refusedBy(["config", "--config", misspelt], {}, ["PILLIVERY_LEESE_MILLIS", misspelt, "unknown"])
        const halfLine = yield* fileWith("PILLIVERY_GRACE_HOURS=3\nPILLIVERY_LEASE_MILLIS 1")
        yield* refusedBy(["config", "--config", halfLine], {}, ["line 2"])
        const list = yield* fileWith('{"PILLIVERY_LADDER_DAYS": [1, 3]}')
        yield* refusedBy(["config", "--config", list], {}, ["JSON object"])
        yield* refusedBy(["config", "--config", "/nowhere/at/all"], {}, ["/nowhere/at/all", "cannot be read"])
        yield* refusedBy(
          ["run", "--grace-hours", "0", "--mysql-url", "mysql://shop:tigerlily@db/shop"],
          { PILLIVERY_LADDER_DAYS: "3,1", PILLIVERY_BANK_CHECK: "23:20", PILLIVERY_FINAL_ACTION: "shrug" },
          [
            "PILLIVERY_GRACE_HOURS on the command line is 0: expected a whole number, 1 to 168",
            "PILLIVERY_MYSQL_URL on the command line must not hold a password",
            "PILLIVERY_LADDER_DAYS in the environment is 3,1: expected rising days",
            "PILLIVERY_BANK_CHECK in the environment is 23:20: expected two times",
            "PILLIVERY_FINAL_ACTION in the environment is shrug"
          ]
        )
        const { code, stderr } = yield* Shop.cli(["status"], { PILLIVERY_MYSQL_URL: "postgres://a:tigerlily@b/c" })
        assert.strictEqual(code, 2)
        assert.notInclude(stderr, "tigerlily")
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)),
    60_000
  )
})
