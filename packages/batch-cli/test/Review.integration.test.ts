import { assert, describe, it } from "@effect/vitest"
import { reconcile } from "@pillivery/application/Payments/Reconcile"
import { DateTime, Effect } from "effect"
import { Simulator } from "kakaopay-simulator/Simulator"
import { SimulatorServer } from "kakaopay-simulator/SimulatorServer"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Shop from "./Shop.ts"

const environment = Effect.gen(function* () {
  return Shop.environment({ mysql: yield* Shop.MysqlUrl, provider: (yield* SimulatorServer).url })
})

const jsonOf = ({ stdout }: Shop.Finished) => JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}")

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "pillivery-settlement-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** Subscriptions whose renewals were charged, and whose approvals were inferred, since the answers were lost. */
const nameless = Effect.fnUntraced(function* (count: number, env: Readonly<Record<string, string>>) {
  const simulator = yield* Simulator
  for (let n = 0; n < count; n++) yield* Shop.subscribe({ price: 10_000, period: 30 })
  yield* Shop.passTime("30 days")
  yield* simulator.faults.add({ kind: "reset-after", endpoint: "subscription", times: count })
  assert.strictEqual((yield* Shop.cli(["run"], env)).code, 3)
  yield* Shop.passTime("6 minutes")
  yield* reconcile()
})

/** The provider's settlement as a file, with a column that nobody asked for and the columns in another order. */
const settlement = Effect.gen(function* () {
  const entries = yield* (yield* Simulator).ledger.entries()
  return [
    "approved_at,tid,note,amount,partner_order_id",
    ...entries.map(
      ({ amount, atMillis, partnerOrderId, tid }) =>
        `${DateTime.formatIso(DateTime.makeUnsafe(atMillis))},${tid},"정산, 확인",${amount},${partnerOrderId}`
    )
  ]
})

describe("review and reconcile --settlement", () => {
  it.live(
    "show approvals without a name, give them theirs from a settlement, and tell of each line that is wrong",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        yield* nameless(2, env)
        const listed = jsonOf(yield* Shop.cli(["review", "list", "--json"], env)).waiting
        assert.deepStrictEqual(
          listed.map(({ amount, detail, subject }: Record<string, unknown>) => [subject, amount, detail]),
          Array.from({ length: 2 }, () => ["reference", 10_000, "Approved"])
        )
        const page = jsonOf(yield* Shop.cli(["review", "list", "--json", "--limit", "1", "--after", listed[0].id], env))
        assert.deepStrictEqual(page.waiting, [listed[1]])

        const lines = yield* settlement
        const file = join(yield* folder, "settlement.csv")
        const foreign = lines[1]?.replace(/[^,]*$/, "0192a000-0000-7000-8000-000000000001")
        writeFileSync(
          file,
          `\uFEFF${[...lines, "yesterday,T1,,much,me", foreign, 'a,"b,c', "x".repeat(20_000)].join("\r\n")}\r\n`
        )
        const read = yield* Shop.cli(["reconcile", "--json", "--settlement", file], env)
        assert.strictEqual(read.code, 1, read.stderr)
        const { settlement: report } = jsonOf(read)
        assert.deepStrictEqual(report.counts, {
          named: 2,
          settled: 0,
          agreed: 2,
          mismatched: 0,
          unknown: 1,
          invalid: 3
        })
        assert.match(read.stderr, /^line 6: .*amount/m)
        assert.match(read.stderr, /^line 8: .*quote/im)
        assert.match(read.stderr, /^line 9: it is longer/m)
        assert.match(read.stderr, /^line 7: there is no attempt 0192a000/m)
        assert.deepStrictEqual(jsonOf(yield* Shop.cli(["review", "list", "--json"], env)).waiting, [])

        writeFileSync(file, `${lines.join("\n")}\n`)
        const again = yield* Shop.cli(["reconcile", "--settlement", file], env)
        assert.strictEqual(again.code, 0, again.stderr)
        assert.include(again.stdout, "4 lines: 0 approvals named, 0 settled, 4 agreed, 0 mismatched")
        assert.strictEqual((yield* Shop.cli(["verify"], env)).code, 0)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "take a name from an operator only if the provider shows it for the payment",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        yield* nameless(1, env)
        const [{ id }] = jsonOf(yield* Shop.cli(["review", "list", "--json"], env)).waiting
        const entries = yield* (yield* Simulator).ledger.entries()
        const tidOf = (isOurs: boolean) => entries.find((entry) => (entry.partnerOrderId === id) === isOurs)?.tid ?? ""
        const settle = (...flags: ReadonlyArray<string>) =>
          Shop.cli(["review", "settle", id, "--by", "김 운영", "--why", "정산 확인", ...flags], env)

        const wrong = yield* settle("--as", "approved", "--tid", tidOf(false))
        assert.strictEqual(wrong.code, 1)
        assert.include(wrong.stderr, "the provider shows")
        for (const flags of [
          ["--as", "approved"],
          ["--as", "declined"],
          ["--as", "revoke"],
          ["--as", "lost"]
        ]) {
          const refused = yield* settle(...flags)
          assert.strictEqual(refused.code, 2, flags.join(" "))
          assert.notStrictEqual(refused.stderr, "")
        }
        const named = yield* settle("--as", "approved", "--tid", tidOf(true), "--json")
        assert.strictEqual(named.code, 0, named.stderr)
        assert.deepStrictEqual(jsonOf(named), { id, state: "Approved" })
        const again = yield* settle("--as", "approved", "--tid", tidOf(true))
        assert.strictEqual(again.code, 2)
        assert.include(again.stderr, "it is Approved")
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    90_000
  )

  it.live(
    "refuse a file that is no settlement before anything is asked",
    () =>
      Effect.gen(function* () {
        const env = yield* environment
        const file = join(yield* folder, "other.csv")
        writeFileSync(file, "a,b\n1,2\n")
        const refused = yield* Shop.cli(["reconcile", "--settlement", file], env)
        assert.strictEqual(refused.code, 2)
        assert.include(refused.stderr, "it has no column partner_order_id, tid, amount, approved_at")
        const missing = yield* Shop.cli(["reconcile", "--settlement", join(file, "nowhere.csv")], env)
        assert.strictEqual(missing.code, 2)
      }).pipe(Effect.scoped, Effect.provide(Shop.layer)),
    60_000
  )
})
