// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct PolicyWarningsTests {
    private func warnings(
        routes: [RouteName] = [],
        hosts: [String] = [],
        _ change: (inout MirrorPolicy) -> Void
    ) -> [String] {
        var policy = MirrorPolicy(name: "shop", targets: ["staging"])
        policy.percent = 5
        change(&policy)
        return PolicyWarnings.sentences(for: [policy], routes: routes, hosts: hosts)
    }

    @Test func `a careful policy gives no warning`() {
        #expect(warnings { $0.methods = ["GET", "OPTIONS"] }.isEmpty)
        #expect(warnings { $0.percent = 50 }.isEmpty)
    }

    @Test func `policies that write are named with their targets`() {
        let sentences = warnings {
            $0.methods = ["GET", "POST", "PUT", "DELETE"]
            $0.baseline = "stable"
        }
        #expect(
            sentences == [
                "mirror policy shop sends requests with POST, PUT and DELETE to staging and stable, "
                    + "which may change data there"
            ]
        )
    }

    @Test func `large shares, none at all, and methods that are never mirrored are told`() {
        #expect(warnings { $0.percent = 80 }.first?.contains("mirrors 80.0 %") == true)
        #expect(warnings { $0.percent = 0 }.first?.contains("mirrors nothing") == true)
        #expect(warnings { $0.match.methods = ["POST"] }.first?.contains("matches POST but does not allow it") == true)
    }

    @Test func `credentials that are let through are told`() {
        let sentences = warnings {
            $0.keptFields = ["Authorization", "x-tenant", "cookie"]
            $0.hashedFields = ["cookie"]
            $0.keptParameters = ["token"]
        }
        #expect(sentences.count == 1)
        #expect(sentences.first?.contains("sends authorization and token as clients sent it") == true)
    }

    @Test func `routes and hosts that match nothing are told once routes are known`() {
        let routes = [RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#0")]
        #expect(warnings(routes: routes) { $0.match.virtualService = "default/product-vs" }.isEmpty)
        let sentences = warnings(routes: routes) {
            $0.match.virtualService = "default/products"
            $0.match.route = "#0"
        }
        #expect(
            sentences == ["mirror policy shop matches nothing: there is no route #0 of VirtualService default/products"]
        )
        #expect(warnings { $0.match.virtualService = "default/products" }.isEmpty)

        let hosts = ["shop.example.com", "*.api.example.com"]
        #expect(
            warnings(hosts: hosts) { $0.match.hosts = ["SHOP.example.com", "v1.api.example.com", "*.example.com"] }
                .isEmpty
        )
        #expect(
            warnings(hosts: hosts) { $0.match.hosts = ["shop.example.org"] }.first?.contains("no route serves") == true
        )
    }
}
