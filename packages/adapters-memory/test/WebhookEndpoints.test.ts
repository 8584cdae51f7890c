import { suite } from "@pillivery/application/testing/WebhookEndpointsSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
