/**
 * Lists, a page at a time.
 *
 * @since 0.1.0
 */
import { type Page, type PageRequest, pageSizeDefault, pageSizeMax } from "@pillivery/application/ports/Page"
import { Schema } from "effect"

/** The furthest page that can be asked for. */
export const pageNumberMax = 1_000_000

/** Which page is wanted, in the query; `page` counts from 1. */
export const pageQuery = {
  page: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageNumberMax }))),
  size: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageSizeMax })))
}

/** Where in the list a page is. */
export const PageInfo = Schema.Struct({
  page: Schema.Int,
  size: Schema.Int,
  totalElements: Schema.Int,
  totalPages: Schema.Int
}).annotate({ identifier: "PageInfo" })

/** A page of something. */
export const pageOf = <S extends Schema.Constraint>(identifier: string, item: S) =>
  Schema.Struct({ data: Schema.Array(item), pageInfo: PageInfo }).annotate({ identifier })

/** The page a query asks for. */
export const toPageRequest = (query: { readonly page?: number; readonly size?: number }): PageRequest => ({
  page: query.page ?? 1,
  size: query.size ?? pageSizeDefault
})

/** A page as clients see it. */
export const fromPage = <A, B>(found: Page<A>, { page, size }: PageRequest, toDto: (row: A) => B) => ({
  data: found.data.map(toDto),
  pageInfo: {
    page,
    size,
    totalElements: found.totalElements,
    totalPages: Math.ceil(found.totalElements / size)
  }
})
