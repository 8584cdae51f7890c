import { suite } from "@pillivery/application/testing/SalesLedgerSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
