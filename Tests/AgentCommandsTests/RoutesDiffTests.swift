// Wingmirror · Apache-2.0

import ArgumentParser
import Foundation
import JSONSyntax
import Recordings
import RouteAttribution
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// `routes diff` on the sample objects and the sample capture.
@Suite(.timeLimit(.minutes(20)))
struct RoutesDiffTests {
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

    private static func report(
        after: String? = nil,
        traffic: [String],
        objects: String = "istio",
        port: Int? = nil,
        _ asked: Configuration = Configuration()
    ) throws -> RouteDiffReport {
        var configuration = asked
        let before = samples.appending(path: objects).standardizedFileURL.path()
        let after = after ?? before
        configuration.routes.files = [before]
        let old = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        configuration.routes.files = [after]
        let new = try RouteObjects(configuration, namesServerPorts: true, for: .person)
        let ports = RecordedRequests.Ports(port, of: [old.table, new.table])
        return RouteDiffReport(old, new, traffic: try RecordedRequests(traffic, at: ports, asked))
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
        var recorded = try RecordedRequests([], at: Self.ports, Configuration())
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
            at: Self.ports
        )
        #expect(recorded.requests.map(\.targetText) == ["/a"])
        #expect(recorded.losses.total == 1)
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
        let recorded = try RecordedRequests([file.path()], at: Self.ports, Configuration())
        #expect(recorded.requests.count == 1)
        #expect(recorded.losses.total == 1)
        #expect(recorded.requests.first?.targetText == "/orders/1?token=x")
        #expect(recorded.requests.first?.authorityText == "shop.example.com")
    }

    @Test func `a HAR entry of HTTP/1 without Host names no host`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            {"log": {"entries": [{"request": {"method": "GET", "url": "http://shop.example.com/", "httpVersion": "HTTP/1.1",
              "headers": [{"name": "x-user", "value": "7"}]}},
              {"request": {"method": "GET", "url": "http://shop.example.com/", "httpVersion": "HTTP/1.1",
              "headers": [{"name": "Host", "value": "other.example.com"}]}},
              {"request": {"method": "GET", "url": "http://shop.example.com/", "httpVersion": "HTTP/2",
              "headers": [{"name": "x-user", "value": "7"}]}}]}}
            """,
            to: "a.har"
        )
        let recorded = try RecordedRequests([file], at: Self.ports, Configuration())
        #expect(recorded.requests.map(\.authorityText) == [nil, "other.example.com", "shop.example.com"])
    }

    @Test func `requests of HAR files that take too much memory are refused`() throws {
        let folder = try TemporaryFolder()
        let entry = #"{"request": {"method": "GET", "url": "http://shop.example.com/", "headers": []}}"#
        let entries = [String](repeating: entry, count: 100).joined(separator: ",")
        let file = try folder.write(#"{"log": {"entries": [\#(entries)]}}"#, to: "a.har")
        let whole = try RecordedRequests([file], at: Self.ports, Configuration(), memoryLimit: 1 << 20)
        #expect(whole.requests.count == 100)
        #expect(throws: CommandFailure.self) {
            try RecordedRequests([file], at: Self.ports, Configuration(), memoryLimit: 32 << 10)
        }
    }

    @Test func `a record inside TLS has the name that its client asked for, or else its host`() throws {
        let folder = try TemporaryFolder()
        let request = #", "scheme": "https", "fields": [["x-user", "7"]]"#
        let lines = [#", "tls": {"sni": "other.example.com"}"#, #", "tls": {"sni": null}"#, ""].map {
            Self.record(request).replacing(#", "response": null"#, with: #", "response": null"# + $0)
        }
        let file = try folder.write(lines.joined(), to: "a.ndjson")
        let recorded = try RecordedRequests([file], at: Self.ports, Configuration())
        #expect(recorded.requests.map(\.serverName) == ["other.example.com", "shop.example.com", "shop.example.com"])
        #expect(recorded.requests.allSatisfy { $0.isTLS && $0.port == 443 })
    }

    // MARK: - What cannot be compared

    private static let ports = RecordedRequests.Ports(nil, of: [])

    private static func record(_ more: String) -> String {
        """
        {"startTime": "2026-11-30T00:00:00Z", "integrity": [], "request": {"method": "POST", "target": "/orders/1", \
        "authority": "shop.example.com", "contentBytes": 12\(more)}, "response": null}

        """
    }

    @Test func `records without headers are counted, and comparing nothing is a failure`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Self.record("") + Self.record(""), to: "a.ndjson")
        let report = try Self.report(traffic: [file])
        #expect(report.traffic?.compared == 0)
        let sentence = "0 requests compared, 2 left out (2 records without fields; record with --fields)"
        #expect(report.lines(.plain).first == sentence)
        #expect(report.markdown.contains(sentence + "."))
        let summary = String(decoding: report.ndjson, as: UTF8.self)
        #expect(summary.contains(#""compared":0,"leftOut":2,"leftOutReasons":{"no_fields":2},"withoutListener":0"#))
        #expect(report.failures == ["no request was compared: the recordings hold none that can be looked up"])
    }

    @Test func `records without content are compared, as content decides no route`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Self.record(#", "fields": [["Host", "shop.example.com"]]"#), to: "a.ndjson")
        let report = try Self.report(traffic: [file])
        #expect(report.traffic?.compared == 1)
        #expect(report.failures.isEmpty)
        #expect(report.lines(.plain).first == "1 request compared, none goes elsewhere")
    }

    @Test func `a filter that lets nothing through is a failure`() throws {
        var configuration = Configuration()
        configuration.capture.filter = .expression("tcp port 1")
        let report = try Self.report(traffic: [Self.capture], configuration)
        #expect(report.notices.contains { $0.hasSuffix("no packets that the filter \"tcp port 1\" lets through") })
        #expect(report.failures.count == 1)
    }

    @Test func `a port without a listener is a failure`() throws {
        let report = try Self.report(traffic: [Self.capture], port: 81)
        let traffic = try #require(report.traffic)
        #expect(traffic.compared > 50)
        #expect(traffic.unlistened == traffic.compared)
        #expect(report.lines(.plain).first?.hasSuffix("\(traffic.compared) without a listener on either side") == true)
        #expect(report.failures.first?.contains("--port") == true)
    }

    @Test func `a damaged pcap file is a failure, whatever was read of it`() throws {
        let folder = try TemporaryFolder()
        let whole = [UInt8](try Data(contentsOf: URL(filePath: Self.capture)))
        let file = "\(folder.path)/cut.pcap"
        try Data(whole.prefix(whole.count / 2)).write(to: URL(filePath: file))
        let report = try Self.report(traffic: [file])
        #expect(report.traffic?.compared ?? 0 > 0)
        #expect(report.failures.count == 1)
    }

    @Test func `TLS is compared with a key log, and said to be unread without`() throws {
        let captures = Self.samples.appending(path: "captures").standardizedFileURL
        let file = captures.appending(path: "secure.pcap").path()
        let blind = try Self.report(traffic: [file], objects: "istio-secure")
        #expect(blind.notices.contains { $0.contains("--key-log") })
        var configuration = Configuration()
        configuration.tls.keyLog = captures.appending(path: "secure.keys").path()
        let report = try Self.report(traffic: [file], objects: "istio-secure", configuration)
        let traffic = try #require(report.traffic)
        #expect(traffic.compared > blind.traffic?.compared ?? 0)
        #expect(traffic.unlistened < traffic.compared)
    }

    @Test(arguments: [
        (["--routes", "c", "--traffic", "t"], "--routes"), (["--key-log", "k"], "--key-log"),
        (["--filter", "tcp"], "--filter"), (["--port", "80"], "--port"),
        (["--traffic", "t", "--port", "99999"], "--port"), (["c"], "c"),
    ])
    func `options that change nothing are refused`(arguments: [String], option: String) async throws {
        let all = ["routes", "diff", "--before", "a", "--after", "b"] + arguments
        var command = try #require(try Wingmirror.parseAsRoot(all) as? RoutesDiffCommand)
        do {
            try await command.run()
            Issue.record("\(arguments) were taken")
        } catch let error as ConfigurationProblems {
            #expect(error.problems.map(\.place) == [.option(option)])
        }
    }
}
