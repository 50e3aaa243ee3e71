// Wingmirror · Apache-2.0

import RouteAttribution
import Testing

/// What istiod makes of rules of the Gateway API: pilot/pkg/config/kube/gateway/conversion.go.
@Suite struct RouteBackendTests {
    static func gateway(ports: [Int] = [80]) -> String {
        let listeners = ports.map {
            "{name: 'l\($0)', port: \($0), protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}"
        }
        return """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: door, namespace: istio-system}
            spec: {gatewayClassName: istio, listeners: [\(listeners.joined(separator: ", "))]}
            """
    }

    static func route(_ kind: String = "HTTPRoute", rules: String) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: \(kind)
        metadata: {name: r, namespace: default}
        spec: {parentRefs: [{name: door, namespace: istio-system}], hostnames: [shop.example.com], rules: \(rules)}
        """
    }

    /// Whether a request has a route, and what that does.
    private static func action(
        _ kind: String = "HTTPRoute",
        rules: String,
        _ others: String...
    ) throws -> RouteAction? {
        let manifests = [gateway(), route(kind, rules: rules)] + others
        let table = try compile(manifests.joined(separator: "\n---\n")).table
        let number = table.explain("/").decision.route
        return number < 0 ? nil : table.routes[Int(number)].action
    }

    @Test(arguments: [
        ("{name: b, weight: 0}", RouteAction.forward), ("{name: b.other, port: 80, weight: 0}", .forward),
        ("{name: b, port: 80, weight: 0, filters: [{type: URLRewrite, urlRewrite: {hostname: x}}]}", .forward),
        ("{name: b, namespace: other, port: 80, weight: 0}", .forward),
    ])
    func `nothing is asked of a backend of weight 0`(backend: String, action: RouteAction) throws {
        #expect(try Self.action(rules: "[{backendRefs: [{name: a, port: 80}, \(backend)]}]") == action)
        #expect(try Self.action(rules: "[{backendRefs: [\(backend)]}]") == .directResponse)
        #expect(try Self.action("GRPCRoute", rules: "[{backendRefs: [\(backend)]}]") == .directResponse)
    }

    @Test func `an HTTPRoute without rules answers every request with 500, and a GRPCRoute without takes none`() throws
    {
        // The resource definition's default is one rule for every path, without backends.
        #expect(try Self.action(rules: "null") == .directResponse)
        #expect(try Self.action("GRPCRoute", rules: "null") == nil)
    }

    @Test func `a rule whose list of matches is empty ranks below a regular expression, one without a list above`()
        throws
    {
        func taken(_ matches: String) throws -> String? {
            let regex =
                "{name: regex, matches: [{path: {type: RegularExpression, value: /.*}}], backendRefs: [{name: a, port: 80}]}"
            let other = "{name: other, \(matches) backendRefs: [{name: a, port: 80}]}"
            let table = try compile(Self.gateway(), Self.route(rules: "[\(other), \(regex)]")).table
            return table.routeName("/x")
        }
        #expect(try taken("matches: [],") == "regex")
        #expect(try taken("") == "other")
    }

    @Test(arguments: [
        "{name: b}", "{name: b.other, port: 80}", "{group: networking.istio.io, kind: Hostname, name: b.com}",
        "{group: networking.istio.io, kind: Hostname, name: b.com, port: 80, namespace: default}",
    ])
    func `a backend that cannot be makes the whole route produce nothing`(backend: String) throws {
        #expect(try Self.action(rules: "[{backendRefs: [{name: a, port: 80}, \(backend)]}]") == nil)
    }

    @Test(arguments: [
        "{name: b, namespace: other}", "{name: b.other, namespace: other, port: 80}",
        "{group: networking.istio.io, kind: Hostname, name: b.com, namespace: other, port: 80}",
        "{group: example.com, kind: Thing, name: b, namespace: other}",
    ])
    func `without a grant nothing else is asked of a backend`(backend: String) throws {
        #expect(try Self.action(rules: "[{backendRefs: [\(backend)]}]") == .forward)
    }

    /// A backend, and whether its share is answered 500 where Service c and no other is there.
    @Test(arguments: [
        ("{name: b, port: 80}", true), ("{group: networking.istio.io, kind: Hostname, name: b.com, port: 80}", true),
        ("{name: c, port: 80}", false),
    ])
    func `a backend that is not among the objects does not exist where these are all that there are`(
        backend: String,
        isInvalid: Bool
    ) throws {
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: c, namespace: default}
            spec: {ports: [{port: 80}]}
            """
        let route = Self.route(rules: "[{backendRefs: [\(backend)]}]")
        var environment = RouteEnvironment()
        func destinations(_ others: String...) throws -> [RouteDestination] {
            let manifests = ([Self.gateway(), route] + others).joined(separator: "\n---\n")
            let table = try compile(manifests, environment: environment).table
            let number = try #require(Int(exactly: table.explain("/").decision.route))
            return try #require(number < 0 ? nil : table.routes[number]).destinations
        }
        #expect(try !destinations().contains { $0.isInvalid })
        environment.holdsWholeCluster = true
        #expect(try destinations().contains { $0.isInvalid })
        #expect(try destinations(service).contains { $0.isInvalid } == isInvalid)
    }

    @Test(arguments: [
        ("{name: m, port: 80, namespace: other}", true), ("{name: m}", true), ("{group: x, kind: Y, name: m}", true),
        ("{name: m, port: 80}", false),
    ])
    func `a mirror that cannot be costs a GRPCRoute everything and an HTTPRoute only the mirror`(
        backend: String,
        isUnusable: Bool
    ) throws {
        let filter = "{type: RequestMirror, requestMirror: {backendRef: \(backend)}}"
        let rules = "[{filters: [\(filter)], backendRefs: [{name: a, port: 80}]}]"
        #expect(try Self.action("GRPCRoute", rules: rules) == (isUnusable ? nil : .forward))
        #expect(try Self.action(rules: rules) == .forward)
    }

    @Test(arguments: [
        "{group: multicluster.x-k8s.io, kind: ServiceImport, name: b, port: 80}",
        "{group: inference.networking.k8s.io, kind: InferencePool, name: b, port: 80}",
    ])
    func `a backend whose kind is not followed is not absent, even where the objects are all of a cluster`(
        backend: String
    ) throws {
        var environment = RouteEnvironment()
        environment.holdsWholeCluster = true
        let route = Self.route(rules: "[{backendRefs: [\(backend)]}]")
        let table = try compile(Self.gateway(), route, environment: environment).table
        let compiled = try #require(table.routes.first)
        #expect(compiled.destinations.map(\.isInvalid) == [false])
        if backend.contains("InferencePool") {
            #expect(compiled.destinations.allSatisfy { table.doubts(about: $0, of: compiled).isEmpty })
        }
    }

    @Test(arguments: ["redirect: {uri: /x}", "directResponse: {status: 200}"])
    func `what the gateway answers itself has no mirrors`(action: String) throws {
        let mirror = "mirror: {host: copies.example.com}"
        let own = "{match: [{uri: {exact: /a}}], \(action), \(mirror)}"
        let http = "[\(own), {route: [{destination: {host: a}}], \(mirror)}]"
        let table = try compile(everyHostGateway, virtualService(http: http)).table
        #expect(table.routes.map(\.mirrors.count) == [0, 1])
    }

    /// Parts of a rule, the timeout of its route, and that of each try.
    @Test(arguments: [
        ("timeouts: {request: 10s}", "10s", ""), ("timeouts: {request: 0s}", nil, ""),
        ("timeouts: {request: 10s, backendRequest: 2s}", "2s", ""), ("timeouts: {backendRequest: 0s}", nil, ""),
        ("timeouts: {request: 10s, backendRequest: 2s}, retry: {attempts: 3}", "10s", "2s"),
        ("timeouts: {request: 10s, backendRequest: 0s}, retry: {attempts: 3}", "10s", ""),
    ])
    func `the time of a try is that of all where nothing is tried again`(parts: String, all: String?, perTry: String)
        throws
    {
        let route = Self.route(rules: "[{\(parts), backendRefs: [{name: a, port: 80}]}]")
        let metadata = try #require(try compile(Self.gateway(), route).table.routes.first?.metadata)
        #expect(metadata.timeout == all)
        #expect(metadata.perTryTimeout == perTry)
    }

    @Test func `a CORS filter is a policy by which the gateway may answer preflights itself`() throws {
        let filter = "filters: [{type: CORS, cors: {allowOrigins: ['https://a.com']}}]"
        for (part, isThere) in [("\(filter), ", true), ("", false)] {
            let route = Self.route(rules: "[{\(part)backendRefs: [{name: a, port: 80}]}]")
            let metadata = try #require(try compile(Self.gateway(), route).table.routes.first?.metadata)
            #expect(metadata.hasCORSPolicy == isThere)
        }
    }

    // MARK: - Matches

    @Test(arguments: ["HTTPRoute", "GRPCRoute"])
    func `the pattern of a star asks whether a header is there`(kind: String) throws {
        let rules = """
            [{name: star, matches: [{headers: [{name: x, type: RegularExpression, value: '*'}]}], \
            backendRefs: [{name: a, port: 80}]}, {name: any, backendRefs: [{name: a, port: 80}]}]
            """
        let (table, findings) = try compile(Self.gateway(), Self.route(kind, rules: rules))
        #expect(!findings.contains { $0.code == .refusedObject })
        #expect(table.routeName("/", headers: [("x", "")]) == "star")
        #expect(table.routeName("/") == "any")
    }

    @Test func `the pattern of a star asks whether a parameter is there`() throws {
        let rules = """
            [{name: star, matches: [{queryParams: [{name: q, type: RegularExpression, value: '*'}]}], \
            backendRefs: [{name: a, port: 80}]}, {name: any, backendRefs: [{name: a, port: 80}]}]
            """
        let table = try compile(Self.gateway(), Self.route(rules: rules)).table
        #expect(table.routeName("/?q") == "star")
        #expect(table.routeName("/?r") == "any")
    }

    @Test func `a rule without matches is behind one whose match has no condition`() throws {
        let rules = """
            [{name: bare, backendRefs: [{name: a, port: 80}]}, \
            {name: empty, matches: [{}], backendRefs: [{name: a, port: 80}]}]
            """
        let table = try compile(Self.gateway(), Self.route("GRPCRoute", rules: rules)).table
        #expect(table.routeName("/x.Y/Z") == "empty")
    }

    @Test func `a method condition without service and method makes a GRPCRoute produce nothing`() throws {
        let rules = "[{matches: [{method: {}}], backendRefs: [{name: a, port: 80}]}]"
        #expect(try Self.action("GRPCRoute", rules: rules) == nil)
        let (_, findings) = try compile(Self.gateway(), Self.route("GRPCRoute", rules: rules))
        #expect(findings.contains { $0.code == .refusedObject && $0.path == "spec.rules[0].matches[0].method" })
    }
}
