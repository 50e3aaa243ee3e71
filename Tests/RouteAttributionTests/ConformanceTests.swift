// Wingmirror · Apache-2.0

import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

@Suite struct ConformanceTests {
    static let topics = [
        "01-basics", "02-path-match", "03-path-normalization", "04-hosts", "05-gateway-binding", "06-merging",
        "07-delegates", "08-headers", "09-method-scheme-authority", "10-query-params", "11-destinations",
        "12-route-names", "13-invalid-objects", "14-gateway-api", "15-ingress", "16-delegate-empty-text",
        "17-skipped-server-hosts", "18-export-own-namespace-and-others", "19-api-gateway-workload",
        "20-ingress-tls-hosts", "21-grpcroute", "22-listenerset", "23-httproute-trailing-slash",
        "24-ingress-prefix-slash", "25-httproute-backends", "26-tls-server-on-plain-port",
        "27-port-translation-several-services",
    ]

    @Test(arguments: topics)
    func `every request of a topic is attributed as Istio attributes it`(topic: String) throws {
        let cases = try ConformanceCase.topic(topic)
        #expect(cases.count >= 2)
        for entry in cases { try check(entry) }
    }

    @Test func `random configurations are attributed as a real istiod and Envoy attribute them`() throws {
        let cases = try ConformanceCase.random()
        #expect(cases.count > 100)
        for entry in cases { try check(entry) }
    }

    /// Without the topic whose objects admission takes and the conversion refuses.
    static let topicsByAdmission = topics.filter { $0 != "25-httproute-backends" }

    @Test(arguments: topicsByAdmission)
    func `exactly the objects that admission refuses are refused`(topic: String) throws {
        for entry in try ConformanceCase.topic(topic) { expectRefusals(entry) }
    }

    @Test func `exactly the objects that istiod refused are refused in random configurations`() throws {
        for entry in try ConformanceCase.random() { expectRefusals(entry) }
    }

    private func expectRefusals(_ entry: ConformanceCase) {
        let found = entry.table(envoyMinor: 40).findings.filter { $0.code == .refusedObject }
        #expect(Set(found.map(\.object.description)) == entry.refused, "\(entry.name): \(found.map(\.message))")
    }

    private func check(_ entry: ConformanceCase) throws {
        for (minor, key) in [(40, "expect"), (38, "expectEnvoyBefore139")] {
            let requests = entry.requests.filter { $0[key] != nil }
            guard !requests.isEmpty else { continue }
            let (table, _) = entry.table(envoyMinor: minor)
            var scratch = RouteScratch()
            for request in requests {
                let explanation = table.explain(try DescribedRequest(request), scratch: &scratch)
                var json = JSONText()
                table.write(explanation, id: request["id"] ?? .null, caseID: nil, to: &json)
                let answer = try JSONDocument.parse(json.octets)
                let differences = Self.differences(try #require(request[key]), answer)
                #expect(differences.isEmpty, "\(entry.name) \(request["id"]?.string ?? "") (Envoy 1.\(minor))")
                expectSameByScan(explanation, "\(entry.name) \(request["id"]?.string ?? "")")
            }
        }
    }

    /// The lookup goes through an index, the explanation through all routes in order; both must choose the same.
    private func expectSameByScan(_ explanation: RouteExplanation, _ name: String) {
        guard explanation.host != nil, [.route, .noRoute].contains(explanation.decision.outcome) else { return }
        let winner = explanation.considered.last.flatMap { $0.failure == nil ? Int32($0.route) : nil } ?? -1
        #expect(explanation.decision.route == winner, "\(name)")
    }

    // MARK: What must agree

    private static func differences(_ expected: JSONValue, _ answer: JSONValue) -> [String] {
        var keys = ["outcome"]
        if expected["outcome"]?.string == "route" {
            keys += ["rule", "match", "routeName", "action"]
            keys += ["virtualService", "httpRoute", "grpcRoute", "ingress", "mergedMatch", "delegate"].filter {
                expected[$0] != nil
            }
        }
        var result = keys.filter { !same(expected[$0], answer[$0]) }
        for key in ["destinations", "mirrors"] where expected[key] != nil {
            if !same(expected[key], answer[key]) { result.append(key) }
        }
        return result
    }

    /// Equal but for the order of keys, the writing of numbers, and what only the answer has.
    private static func same(_ expected: JSONValue?, _ answer: JSONValue?) -> Bool {
        switch (expected, answer) {
        case (.array(let first), .array(let second)):
            return first.count == second.count && zip(first, second).allSatisfy { same($0, $1) }
        case (.object(let first), .object):
            return first.members.allSatisfy { same($0.value, answer?[$0.key]) }
        default:
            if let first = expected?.number, let second = answer?.number { return abs(first - second) < 0.000_05 }
            return expected == answer
        }
    }
}
