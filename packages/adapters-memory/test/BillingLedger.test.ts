import { suite } from "@pillivery/application/testing/BillingLedgerSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
