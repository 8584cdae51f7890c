/**
 * Bounded pages of lists.
 *
 * @since 0.1.0
 */

/** The most rows of one page. */
export const pageSizeMax = 100
/** The rows of a page when the caller does not say. */
export const pageSizeDefault = 8

/** Which page is wanted; `page` counts from 1. */
export interface PageRequest {
  readonly page: number
  readonly size: number
}

/** One page and how many rows there are in all. */
export interface Page<A> {
  readonly data: ReadonlyArray<A>
  readonly totalElements: number
}
