/**
 * What the domain's tests are given in place of `@effect/vitest` while mutants are tested: they are collected, not run.
 *
 * Only what those tests use is here. A test of the domain is a plain function without time, IO or hooks that matter; one
 * that imports something else from the test framework fails to load, and is told so by name.
 *
 * @since 0.1.0
 */
export { assert } from "vitest"

/** A collected test. */
export interface CollectedTest {
  /** Its file, its groups and its name; unique. */
  readonly id: string
  readonly run: () => unknown
}

const collected: Array<CollectedTest> = []
const path: Array<string> = []

/** Groups tests. */
export const describe = (name: string, define: () => void): void => {
  path.push(name)
  try {
    define()
  } finally {
    path.pop()
  }
}

/** Collects a test. */
export const it = (name: string, run: () => unknown): void => {
  const id = [...path, name].join(" > ")
  if (collected.some((test) => test.id === id)) throw new Error(`two tests are called ${id}`)
  collected.push({ id, run })
}

/** The tests only tell how much they did when they are over. */
export const afterAll = (_run: () => unknown): void => undefined

/** Everything that loading a file collects, under the file's name. */
export const collect = async (file: string, load: () => Promise<unknown>): Promise<ReadonlyArray<CollectedTest>> => {
  const before = collected.length
  path.push(file)
  try {
    await load()
  } finally {
    path.pop()
  }
  return collected.slice(before)
}
