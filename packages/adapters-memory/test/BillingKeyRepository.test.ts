import { suite } from "@pillivery/application/testing/BillingKeyRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
