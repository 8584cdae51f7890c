/**
 * A persistent map ordered by its text keys: a weight-balanced tree that also knows positions.
 *
 * Every change answers a new map and leaves the old one as it was, so that a transaction is a reference to remember. Reads,
 * changes and positions cost a logarithm of the size.
 *
 * @since 0.1.0
 */

/** A map from text to values in the order of its keys; `null` is the empty one. */
export type SortedMap<A> = Node<A> | null

interface Node<A> {
  readonly key: string
  readonly value: A
  readonly left: SortedMap<A>
  readonly right: SortedMap<A>
  readonly size: number
}

// One side may be at most so many times as heavy as the other; and the pair of numbers for which rotations restore that
// (Hirai and Yamamoto, "Balancing weight-balanced trees").
const delta = 3
const ratio = 2

/** How many keys there are. */
export const size = <A>(self: SortedMap<A>): number => (self === null ? 0 : self.size)

/** The value at a key. */
export const get = <A>(self: SortedMap<A>, key: string): A | undefined => {
  let node = self
  while (node !== null) {
    if (key === node.key) return node.value
    node = key < node.key ? node.left : node.right
  }
  return undefined
}

/** The map with another value at a key. */
export const set = <A>(self: SortedMap<A>, key: string, value: A): SortedMap<A> => {
  if (self === null) return { key, value, left: null, right: null, size: 1 }
  if (key === self.key) return { key, value, left: self.left, right: self.right, size: self.size }
  return key < self.key
    ? balanced(self.key, self.value, set(self.left, key, value), self.right)
    : balanced(self.key, self.value, self.left, set(self.right, key, value))
}

/** The map without a key. */
export const remove = <A>(self: SortedMap<A>, key: string): SortedMap<A> => {
  if (self === null) return null
  if (key === self.key) return joined(self.left, self.right)
  if (key < self.key) {
    const left = remove(self.left, key)
    return left === self.left ? self : balanced(self.key, self.value, left, self.right)
  }
  const right = remove(self.right, key)
  return right === self.right ? self : balanced(self.key, self.value, self.left, right)
}

/** How many keys come before this one. */
export const rank = <A>(self: SortedMap<A>, key: string): number => {
  let node = self
  let before = 0
  while (node !== null) {
    if (key <= node.key) {
      node = node.left
    } else {
      before += size(node.left) + 1
      node = node.right
    }
  }
  return before
}

/** The value at a position, counted from 0. */
export const at = <A>(self: SortedMap<A>, position: number): A | undefined => {
  let node = self
  let left = position
  while (node !== null) {
    const here = size(node.left)
    if (left === here) return node.value
    if (left < here) {
      node = node.left
    } else {
      left -= here + 1
      node = node.right
    }
  }
  return undefined
}

/** Visits the values from a key on, in order, until `visit` answers false. */
export const forEachFrom = <A>(
  self: SortedMap<A>,
  from: string,
  visit: (value: A, key: string) => boolean
): boolean => {
  if (self === null) return true
  if (from < self.key && !forEachFrom(self.left, from, visit)) return false
  if (from <= self.key && !visit(self.value, self.key)) return false
  return forEachFrom(self.right, from, visit)
}

const node = <A>(key: string, value: A, left: SortedMap<A>, right: SortedMap<A>): Node<A> => ({
  key,
  value,
  left,
  right,
  size: size(left) + size(right) + 1
})

const weight = <A>(self: SortedMap<A>): number => size(self) + 1

const balanced = <A>(key: string, value: A, left: SortedMap<A>, right: SortedMap<A>): Node<A> => {
  if (right !== null && weight(right) > delta * weight(left)) {
    const inner = right.left
    return inner === null || weight(inner) < ratio * weight(right.right)
      ? node(right.key, right.value, node(key, value, left, inner), right.right)
      : node(
          inner.key,
          inner.value,
          node(key, value, left, inner.left),
          node(right.key, right.value, inner.right, right.right)
        )
  }
  if (left !== null && weight(left) > delta * weight(right)) {
    const inner = left.right
    return inner === null || weight(inner) < ratio * weight(left.left)
      ? node(left.key, left.value, left.left, node(key, value, inner, right))
      : node(
          inner.key,
          inner.value,
          node(left.key, left.value, left.left, inner.left),
          node(key, value, inner.right, right)
        )
  }
  return node(key, value, left, right)
}

// Both sides of a key that was taken out, as one: the lesser neighbour of the heavier side takes its place.
const joined = <A>(left: SortedMap<A>, right: SortedMap<A>): SortedMap<A> => {
  if (left === null) return right
  if (right === null) return left
  if (left.size > right.size) {
    let last = left
    while (last.right !== null) last = last.right
    return balanced(last.key, last.value, remove(left, last.key), right)
  }
  let next = right
  while (next.left !== null) next = next.left
  return balanced(next.key, next.value, left, remove(right, next.key))
}
