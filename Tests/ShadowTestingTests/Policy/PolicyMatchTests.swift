// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct PolicyMatchTests {
    /// Whether a policy with this match looks at a request.
    private func matches(_ request: RecordedRequest, _ change: (inout MirrorMatch) -> Void) throws -> Bool {
        var driver = try PlanDriver(.everything { change(&$0.match) })
        return !driver.decide(request).isEmpty || !driver.tallies.isEmpty
    }

    // MARK: - Routes

    private let routes = [
        RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "reviews"),
        RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#1"),
        RouteName(virtualServiceNamespace: "other", virtualService: "product-vs", route: "reviews"),
    ]

    @Test func `routes are matched by VirtualService, rule, or both`() throws {
        let driver = try PlanDriver([
            .everything("all"),
            .everything("service") { $0.match.virtualService = "default/product-vs" },
            .everything("rule") { $0.match.route = "reviews" },
            .everything("both") {
                $0.match.virtualService = "default/product-vs"
                $0.match.route = "#1"
            },
        ])
        #expect(driver.plan.routeMasks(for: routes) == [0b0111, 0b1011, 0b0101])
        #expect(driver.plan.unroutedMask == 0b0001)
        let alike = [
            RouteName(virtualServiceNamespace: "default", virtualService: "product-v", route: "#1"),
            RouteName(virtualServiceNamespace: "defaul", virtualService: "product-vst", route: "#1"),
            RouteName(virtualServiceNamespace: "", virtualService: "", route: "reviews"),
        ]
        #expect(driver.plan.routeMasks(for: alike) == [0b0001, 0b0001, 0b0101])
    }

    // MARK: - Hosts

    @Test(arguments: [
        ("shop.example.com", "shop.example.com", true),
        ("SHOP.Example.COM", "shop.example.com", true),
        ("shop.example.com:8443", "shop.example.com", true),
        ("shop.example.com", "Shop.Example.Com", true),
        ("shop.example.org", "shop.example.com", false),
        ("shop.example.com-shadow", "shop.example.com", false),
        ("shop.example.com", "*.example.com", true),
        ("a.shop.example.com:80", "*.example.com", true),
        ("example.com", "*.example.com", false),
        (".example.com", "*.example.com", false),
        ("notexample.com", "*.example.com", false),
        ("anything", "*", true),
        ("", "*", true),
        ("", "shop.example.com", false),
        ("[2001:db8::1]:8080", "[2001:db8::1]", true),
        ("[2001:db8::1]", "[2001:DB8::1]", true),
        ("[2001:db8::1", "[2001:db8::1]", false),
    ])
    func `hosts are compared without case and port`(host: String, pattern: String, isMatch: Bool) throws {
        #expect(try matches(.client("GET", "/", [("Host", host)])) { $0.hosts = [pattern] } == isMatch)
    }

    @Test func `the authority of an absolute target goes before Host`() throws {
        let request = RecordedRequest.client("GET", "http://u:p@a.example.com:80/x", [("Host", "b.example.com")])
        #expect(try matches(request) { $0.hosts = ["a.example.com"] })
        #expect(try !matches(request) { $0.hosts = ["b.example.com"] })
    }

    @Test func `a request without Host matches no host`() throws {
        var request = RecordedRequest.client()
        request.message.fields = []
        #expect(try !matches(request) { $0.hosts = ["shop.example.com"] })
        #expect(try matches(request) { _ in })
    }

    // MARK: - Paths

    @Test(arguments: [
        ("/api", "/api", true), ("/api/", "/api", true), ("/api/x", "/api", true), ("/apix", "/api", false),
        ("/api?x", "/api", true), ("/api#x", "/api", true), ("/API", "/api", false), ("/api", "/api/", true),
        ("/", "/", true), ("/x", "/", true), ("http://h/api/x", "/api", true), ("http://h", "/", true),
        ("http://h?q", "/", true), ("/x/api", "/api", false), ("/ap", "/api", false),
    ])
    func `path prefixes are of whole segments`(target: String, prefix: String, isMatch: Bool) throws {
        #expect(try matches(.client("GET", target)) { $0.pathPrefixes = [prefix] } == isMatch)
    }

    // MARK: - Methods and fields

    @Test func `methods are compared with case`() throws {
        #expect(try matches(.client("GET")) { $0.methods = ["HEAD", "GET"] })
        #expect(try !matches(.client("get")) { $0.methods = ["GET"] })
        #expect(try !matches(.client("POST")) { $0.methods = ["GET"] })
    }

    @Test func `fields must be present, or have the value in one of their lines`() throws {
        let request = RecordedRequest.client("GET", "/", [("X-Tenant", "a"), ("x-tenant", "b"), ("X-Empty", "")])
        #expect(try matches(request) { $0.fields = ["x-tenant": "b"] })
        #expect(try matches(request) { $0.fields = ["X-TENANT": "a", "x-empty": ""] })
        #expect(try !matches(request) { $0.fields = ["x-tenant": "B"] })
        #expect(try !matches(request) { $0.fields = ["x-tenant": "a", "x-other": ""] })
    }

    @Test func `one that a match leaves out is not counted`() throws {
        var driver = try PlanDriver(.everything { $0.match.methods = ["GET"] })
        #expect(driver.decide(.client("DELETE")).isEmpty)
        #expect(driver.tallies.isEmpty)
    }
}
