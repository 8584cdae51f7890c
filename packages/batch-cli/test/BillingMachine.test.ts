import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const script = fileURLToPath(new URL("../../../deploy/billing-machine.sh", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stderr: string
  /** What the cloud was told, in order. */
  readonly told: ReadonlyArray<string>
}

// Runs the script with a cloud that writes down what it is told; `signalAt` is a word of it on which SIGTERM is sent.
const run = async (changed: Readonly<Record<string, string>>, signalAt: string | null = null): Promise<Ended> => {
  const folder = mkdtempSync(join(tmpdir(), "billing-machine-"))
  const log = join(folder, "told")
  const told = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [])
  try {
    const child = spawn("sh", [script], {
      cwd: folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        MACHINE_START: "echo start >> told",
        MACHINE_READY: "true",
        MACHINE_RUN: "sh -c 'echo run >> told'",
        MACHINE_STOP: "echo stop >> told",
        READY_SECONDS_MAX: "1",
        STOP_TRIES_MAX: "2",
        ...changed
      }
    })
    let stderr = ""
    child.stderr.on("data", (chunk) => (stderr += String(chunk)))
    const watch = setInterval(() => {
      if (signalAt === null || !told().includes(signalAt)) return
      clearInterval(watch)
      child.kill("SIGTERM")
    }, 20)
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve))
    clearInterval(watch)
    return { code, stderr, told: told() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("deploy/billing-machine.sh", () => {
  it("starts the machine, runs the billing and stops the machine, with the code of the billing", async () => {
    for (const wanted of [0, 1, 3]) {
      const { code, told } = await run({ MACHINE_RUN: `sh -c 'echo run >> told; exit ${wanted}'` })
      assert.deepStrictEqual([code, told], [wanted, ["start", "run", "stop"]])
    }
  })

  it("waits until the machine is ready", async () => {
    const { code, told } = await run({ MACHINE_READY: "test -e once || { touch once; false; }" })
    assert.deepStrictEqual([code, told], [0, ["start", "run", "stop"]])
  })

  it("bills nothing and stops the machine when it does not start or never gets ready", async () => {
    const dead = await run({ MACHINE_START: "echo start >> told; false" })
    assert.deepStrictEqual([dead.code, dead.told], [2, ["start", "stop"]])
    const slow = await run({ MACHINE_READY: "false" })
    assert.deepStrictEqual([slow.code, slow.told], [2, ["start", "stop"]])
    assert.include(slow.stderr, "not ready within 1 s")
  })

  it("tries again to stop the machine, and says with 4 that it runs on", async () => {
    const stuck = await run({ MACHINE_STOP: "echo stop >> told; false" })
    assert.deepStrictEqual([stuck.code, stuck.told], [4, ["start", "run", "stop", "stop"]])
    assert.include(stuck.stderr, "could not be switched off")
  })

  it("hands a signal on, lets the billing finish, and then stops the machine", async () => {
    const { code, told } = await run(
      {
        MACHINE_RUN: `sh -c 'trap "echo finished >> told; exit 1" TERM; echo run >> told; while :; do sleep 0.1; done'`
      },
      "run"
    )
    assert.deepStrictEqual([code, told], [1, ["start", "run", "finished", "stop"]])
  })

  it("bills nothing when the signal comes before the billing began", async () => {
    const { code, told } = await run({ MACHINE_READY: "echo ready >> told; sleep 1" }, "ready")
    assert.deepStrictEqual([code, told], [1, ["start", "ready", "stop"]])
  })

  it("names a command that is missing, and touches nothing", async () => {
    const { code, stderr, told } = await run({ MACHINE_STOP: "" })
    assert.notStrictEqual(code, 0)
    assert.include(stderr, "MACHINE_STOP")
    assert.deepStrictEqual(told, [])
  })
}, 30_000)
