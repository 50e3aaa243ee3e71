// Wingmirror · Apache-2.0

import ArgumentParser
import Foundation
import JSONSyntax
import RouteAttribution
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// `routes diff` on the sample objects and the sample capture.
@Suite struct RoutesDiffTests {
    private static let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../samples")

    /// A copy of the sample objects with a text changed.
    private static func changed(_ text: String, to other: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "diff-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let source = samples.appending(path: "istio").standardizedFileURL
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path()) where name.hasSuffix(".yaml") {
            let content = try String(contentsOf: source.appending(path: name), encoding: .utf8)
            try Data(content.replacing(text, with: other).utf8).write(to: folder.appending(path: name))
        }
        return folder.path()
    }

    private static func report(after: String, traffic: [String]) throws -> RouteDiffReport {
        var configuration = Configuration()
        configuration.routes.files = [samples.appending(path: "istio").standardizedFileURL.path()]
        let old = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        configuration.routes.files = [after]
        let new = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        let port = RecordedRequests.port(of: [old.table, new.table])
        return RouteDiffReport(old, new, traffic: try RecordedRequests(traffic, port: port, filter: nil))
    }

    private static let capture = samples.appending(path: "captures/ingress.pcap").standardizedFileURL.path()

    @Test func `nothing changes between equal objects`() throws {
        let after = try Self.changed("nothing like this", to: "")
        defer { try? FileManager.default.removeItem(atPath: after) }
        let report = try Self.report(after: after, traffic: [Self.capture])
        #expect(report.changes.isEmpty)
        #expect(report.traffic?.moved == 0)
        #expect((report.traffic?.compared ?? 0) > 50)
        #expect(report.kinds.isEmpty)
    }

    @Test func `a wider prefix keeps its requests and wins others`() throws {
        let after = try Self.changed("prefix: /orders", to: "prefix: /order")
        defer { try? FileManager.default.removeItem(atPath: after) }
        let report = try Self.report(after: after, traffic: [Self.capture])
        let traffic = try #require(report.traffic)
        // What the rule took before it still takes.
        #expect(traffic.movements.allSatisfy { $0.kind == .won })
        #expect(traffic.movements.allSatisfy { $0.examples.allSatisfy { !$0.contains("/orders") } })
        #expect(report.changes.contains { $0.kind == .added && $0.text.contains("prefix /order)") })
        #expect(report.changes.contains { $0.kind == .gone && $0.text.contains("prefix /orders)") })
    }

    @Test func `a narrower prefix loses requests, and says which`() throws {
        let after = try Self.changed("prefix: /orders", to: "exact: /orders")
        defer { try? FileManager.default.removeItem(atPath: after) }
        let report = try Self.report(after: after, traffic: [Self.capture])
        let traffic = try #require(report.traffic)
        #expect(!traffic.movements.isEmpty)
        #expect(traffic.movements.allSatisfy { $0.kind == .lost || $0.kind == .moved })
        #expect(traffic.movements.contains { $0.examples.contains { $0.contains("/orders/") } })
        #expect(report.markdown.contains { $0.hasPrefix("| requests |") })
        #expect(String(decoding: report.ndjson, as: UTF8.self).contains("\"kind\":\"summary\""))
    }

    @Test func `the kinds that are allowed are those there are`() throws {
        let command = try #require(
            try Wingmirror.parseAsRoot(["routes", "diff", "--before", "a", "--after", "b", "--allow", "won,added"])
                as? RoutesDiffCommand
        )
        #expect(command.allow == "won,added")
    }

    @Test func `the exchanges of a running agent are traffic too`() throws {
        var recorded = try RecordedRequests([], port: 80, filter: nil)
        recorded.add(
            [
                "exchanges": [
                    [
                        "request": [
                            "method": "GET", "target": "/a", "authority": "shop.example.com",
                            "fields": [["Host", "shop.example.com"], ["x-user", "7"]], "fieldsCut": false,
                        ]
                    ], ["request": .null],
                ]
            ],
            port: 80
        )
        #expect(recorded.requests.map(\.targetText) == ["/a"])
        #expect(recorded.leftOut == 1)
    }

    @Test func `HAR files are traffic too`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "traffic-\(UUID().uuidString).har")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = """
            {"log": {"entries": [
              {"request": {"method": "GET", "url": "http://shop.example.com/orders/1?token=x",
                "headers": [{"name": ":authority", "value": "y"}, {"name": "x-user", "value": "7"}]}},
              {"request": {"method": "GET", "url": "ftp://none"}}]}}
            """
        try Data(text.utf8).write(to: file)
        let recorded = try RecordedRequests([file.path()], port: 80, filter: nil)
        #expect(recorded.requests.count == 1)
        #expect(recorded.leftOut == 1)
        #expect(recorded.requests.first?.targetText == "/orders/1?token=x")
        #expect(recorded.requests.first?.authorityText == "shop.example.com")
    }
}
