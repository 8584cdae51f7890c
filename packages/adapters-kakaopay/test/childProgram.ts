/**
 * Makes every call to each base URL among its arguments, and prints the answers as JSON.
 */
import { Effect } from "effect"
import { calls } from "../src/ErrorCodes.ts"
import { ask } from "./Calls.ts"
import * as Provider from "./Provider.ts"

const answersOf = (baseUrl: string) =>
  Effect.gen(function* () {
    const strategy = yield* Provider.makeStrategy(baseUrl)
    const answers = yield* Effect.forEach(calls, (call) => Effect.map(ask(strategy, call), (answer) => [call, answer]))
    return Object.fromEntries(answers)
  }).pipe(Effect.scoped)

const answers = await Effect.runPromise(Effect.forEach(process.argv.slice(2), answersOf))
console.log(JSON.stringify(answers))
