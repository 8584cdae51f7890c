/**
 * What the engine is compared with: mysql2 and undici and nothing else. Each charge inserts an intent row, calls the provider, and commits the
 * outcome. No claim, no evidence, no books, no recovery.
 *
 * Arguments: database, provider, file of billing keys, charges in flight. Prints charges per second.
 */
import { Pool } from "@effect/platform-node/Undici"
import { createPool } from "mysql2/promise"
import { randomUUID } from "node:crypto"
import { readFileSync } from "node:fs"
import { customerOf } from "./Subscriptions.ts"

const [database = "", provider = "", file = "", inFlight = "50", secretKey = ""] = process.argv.slice(2)
const connections = 20

const keys = readFileSync(file, "utf8").split("\n")
const pool = createPool({ uri: database, connectionLimit: connections })
const http = new Pool(provider, { connections: Number(inFlight), pipelining: 1 })

await pool.query(`CREATE TABLE IF NOT EXISTS raw_intent (
  id CHAR(36) CHARACTER SET ascii NOT NULL, sid VARCHAR(64) NOT NULL, amount BIGINT NOT NULL, status VARCHAR(16) NOT NULL,
  tid VARCHAR(64) NULL, created_at DATETIME(3) NOT NULL, settled_at DATETIME(3) NULL, PRIMARY KEY (id)) ENGINE = InnoDB`)

const charge = async (n: number): Promise<void> => {
  const id = randomUUID()
  const sid = keys[n] ?? ""
  await pool.execute(
    "INSERT INTO raw_intent (id, sid, amount, status, created_at) VALUES (?, ?, 29900, 'sent', UTC_TIMESTAMP(3))",
    [id, sid]
  )
  const { body, statusCode } = await http.request({
    path: "/online/v1/payment/subscription",
    method: "POST",
    headers: { authorization: `SECRET_KEY ${secretKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      cid: "TCSUBSCRIP",
      sid,
      partner_order_id: id,
      partner_user_id: customerOf(n),
      item_name: "오메가3",
      quantity: 1,
      total_amount: 29_900,
      tax_free_amount: 0
    })
  })
  const answer: unknown = await body.json()
  if (statusCode !== 200) throw new Error(JSON.stringify(answer))
  const tid = typeof answer === "object" && answer !== null && "tid" in answer ? String(answer.tid) : null
  await pool.execute("UPDATE raw_intent SET status = 'approved', tid = ?, settled_at = UTC_TIMESTAMP(3) WHERE id = ?", [
    tid,
    id
  ])
}

let next = 0
const started = performance.now()
await Promise.all(
  Array.from({ length: Number(inFlight) }, async () => {
    while (next < keys.length) await charge(next++)
  })
)
const seconds = (performance.now() - started) / 1_000
console.log(JSON.stringify({ perSecond: keys.length / seconds }))
await Promise.all([pool.end(), http.close()])
