// Wingmirror · Apache-2.0

import ArgumentParser
import Foundation
import JSONSyntax
import Recordings
import Redaction
import ShadowTesting
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// `mirror plan` and `mirror report`.
@Suite(.timeLimit(.minutes(20)))
struct MirrorCommandTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../..").standardizedFileURL

    private func problems(_ arguments: String...) -> [String] {
        AgentCommandsTests.problems {
            switch try Wingmirror.parseAsRoot(["mirror"] + arguments) {
            case let command as MirrorPlanCommand: _ = try MirrorForecastPlan(command)
            case let command as MirrorReportCommand: _ = try MirrorReportPlan(command)
            case let command: Issue.record("\(command)")
            }
        }
    }

    @Test func `what is wrong with the options of plan is told at once`() {
        let found = problems("plan", "--for", "2x", "--output", "csv")
        #expect(
            found == [
                "--interface: no source is named: use --interface NAME, capture.interfaces, or name pcap files",
                "--output: expected one of table, ndjson (or json), found \"csv\"",
                "--config: there are no policies: name a file with mirror.policies",
                "--for: expected a time from 1s to 1d, found \"2x\"",
            ]
        )
    }

    @Test func `a time goes with interfaces, and a file that is not there is a mistake`() async throws {
        #expect(
            problems("plan", "a.pcap", "--for", "10s", "--config", "\(Self.root.path)/samples/wingmirror-mirror.yaml")
                == [
                    "--for: pcap files are read to their end; it goes with --interface"
                ]
        )
        let folder = try TemporaryFolder()
        _ = try configuration(port: 8081, isEnabled: false, in: folder)
        let words = ["mirror", "plan", "/nowhere/a.pcap", "--config", "\(folder.path)/agent.yaml"]
        let command = try #require(try Wingmirror.parseAsRoot(words) as? MirrorPlanCommand)
        let plan = try MirrorForecastPlan(command)
        let failure = await #expect(throws: CommandFailure.self) { try await plan.execute() }
        #expect(failure?.lines == ["/nowhere/a.pcap: no such file or folder"])
        #expect(failure?.status == .usage)
    }

    @Test func `what is wrong with the options of report is told at once`() {
        #expect(
            problems("report", "--agent", "foo") == [
                "--agent: expected a URL such as http://127.0.0.1:9646, found \"foo\""
            ]
        )
        #expect(problems("report", "a.gor", "--token-file", "t") == ["--token-file: a recording is no agent"])
    }

    // MARK: - Check

    /// A configuration of mirroring to this machine, where port 8080 is captured.
    private func configuration(port: Int, isEnabled: Bool, in folder: TemporaryFolder) throws -> Configuration {
        try Configuration.load(
            path: folder.write(
                """
                gateway: {ports: [{pod: 8080, server: 80}]}
                routes: {files: [\(Self.root.path)/samples/istio]}
                mirror:
                  enabled: \(isEnabled)
                  targets: {next: {url: "http://127.0.0.1:\(port)"}}
                  policies: [{name: all, target: next, percent: 1}]
                """,
                to: "agent.yaml"
            )
        )
    }

    @Test(.timeLimit(.minutes(20)))
    func `check refuses a target that run refuses, in the same words`() async throws {
        let folder = try TemporaryFolder()
        let configuration = try configuration(port: 8080, isEnabled: true, in: folder)
        let check = try await ConfigurationCheck(configuration)
        let mirroring = Mirroring(configuration)
        try mirroring.plans.configure(configuration.mirror)
        mirroring.tablesReplaced(try RouteObjects(configuration, namesServerPorts: false).tables)
        let failure = await #expect(throws: CommandFailure.self) { try await mirroring.refuseForbiddenTargets() }
        #expect(check.errors == failure?.lines)
        #expect(
            check.errors == [
                "mirror: target next: 127.0.0.1 resolves to 127.0.0.1, and port 8080 of this machine is captured"
            ]
        )
        #expect(check.document["valid"] == .bool(false))
    }

    @Test(.timeLimit(.minutes(20)))
    func `check warns of a target that would be refused if mirroring were on, and of no other`() async throws {
        let folder = try TemporaryFolder()
        let refused = try await ConfigurationCheck(configuration(port: 8080, isEnabled: false, in: folder))
        #expect(refused.errors.isEmpty)
        #expect(
            refused.document["warnings"]?.arrayValue?.contains { $0.stringValue?.contains("is captured") == true }
                == true
        )
        let free = try await ConfigurationCheck(configuration(port: 8081, isEnabled: true, in: folder))
        #expect(free.errors.isEmpty)
    }

    @Test(.timeLimit(.minutes(20)))
    func `check refuses a key log that everybody may read, as run does`() async throws {
        let folder = try TemporaryFolder()
        let keys = try folder.write("", to: "keys.log")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: keys)
        let configuration = try Configuration.load(
            path: folder.write(
                "tls: {keyLog: \"\(keys)\"}\nroutes: {files: [\(Self.root.path)/samples/istio]}\n",
                to: "a.yaml"
            )
        )
        var refusal: [String] = []
        do throws(CommandFailure) {
            try configuration.tls.refuseExposedKeyLog()
        } catch {
            refusal = error.lines
        }
        // In a folder that is in memory only, neither minds.
        #expect(try await ConfigurationCheck(configuration).errors == refusal)
    }

    // MARK: - Forecast

    @Test func `a forecast counts what its policy would send, and shows no secret`() throws {
        let configuration = try Configuration.load(
            path: Self.root.appending(path: "samples/wingmirror-mirror.yaml").path
        )
        var policies = configuration.mirror.policies
        policies[0].percent = 100
        policies[0].match.virtualService = "shop/products"
        let plan = try MirrorPlan(policies: policies, targets: Set(configuration.mirror.targets.map(\.name)))
        let key = RedactionKey(high: 1, low: 2)
        var forecast = MirrorForecast(plan: plan, targets: configuration.mirror.targets, node: "n", key: key)
        let route = RouteName(
            virtualServiceNamespace: "shop",
            virtualService: "products",
            route: "evil\u{1B}[2J"
        )
        for number in 0..<10 {
            forecast.exchangeSeen(Self.exchange(number, route), client: (0, UInt64(number)))
        }
        let report = MirrorForecastReport(forecast: forecast, policies: policies, loss: 3, isEnabled: false)
        let lines = report.lines(TerminalStyle(isColoured: false, width: 200))
        #expect(lines.first == "Forecast  10 exchanges in 9 s, 3 packets lost meanwhile")
        #expect(lines.last == "  mirror.enabled is false: nothing of this is sent")
        #expect(!lines.joined().contains("\u{1B}"), "control characters from the wire reach no terminal")
        let record = try JSONDocument.parse(Array(report.records.split(separator: 0x0A)[0]))
        #expect(record["requests"] == .integer(10))
        #expect(record["sampled"] == .integer(9))
        #expect(record["filtered"]?["method"] == .integer(1))
        #expect(record["redactedValues"] == .integer(9), "the Authorization field of each copy")
        #expect(!String(decoding: report.records, as: UTF8.self).contains("hunter2"))
    }

    @Test func `rules without names are told apart by their objects, also on a narrow terminal`() throws {
        let configuration = try Configuration.load(
            path: Self.root.appending(path: "samples/wingmirror-mirror.yaml").path
        )
        var policies = configuration.mirror.policies
        policies[0].percent = 100
        policies[0].match.virtualService = "default/product-vs"
        policies[0].baseline = nil
        let plan = try MirrorPlan(policies: policies, targets: Set(configuration.mirror.targets.map(\.name)))
        let key = RedactionKey(high: 1, low: 2)
        var forecast = MirrorForecast(plan: plan, targets: configuration.mirror.targets, node: "n", key: key)
        let route = RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#0")
        for number in 0..<10 { forecast.exchangeSeen(Self.exchange(number, route), client: (0, UInt64(number))) }
        var report = MirrorForecastReport(forecast: forecast, policies: policies, loss: 0, isEnabled: true)
        let lines = report.lines(TerminalStyle(isColoured: false, width: 80))
        #expect(lines.count { $0.contains("default/product-vs") && $0.contains("#0") } >= 3, "in all three parts")
        #expect(lines.contains { $0.hasPrefix("  products on default/product-vs #0: ") })
        report.routes = [RouteName(virtualServiceNamespace: "default", virtualService: "other-vs", route: "#0")]
        let warned = report.lines(TerminalStyle(isColoured: false, width: 80)).joined()
        #expect(warned.contains("policy products matches nothing: there is no VirtualService default/product-vs"))
        let verdict: JSONValue = [
            "policy": "products", "target": "next", "virtualServiceNamespace": "default",
            "virtualService": "product-vs",
            "route": "#0", "verdict": "pass",
        ]
        let verdicts = MirrorReport(verdicts: [verdict]).lines(TerminalStyle(isColoured: false, width: 100))
        #expect(verdicts.count { $0.contains("default/product-vs") } == 2)
    }

    private static func exchange(_ number: Int, _ route: RouteName) -> RecordedExchange {
        let request = RecordedRequest(
            method: number == 0 ? "POST" : "GET",
            target: Array("/products/\(number)".utf8),
            message: RecordedMessage(fields: [
                RecordedField(name: "Host", value: "shop.test"),
                RecordedField(name: "Authorization", value: "Bearer hunter2"),
            ])
        )
        let response = RecordedResponse(status: 200, message: RecordedMessage(fields: []))
        return RecordedExchange(
            request: request,
            response: response,
            route: route,
            startTime: Int64(number) * 1_000_000_000
        )
    }

    // MARK: - Report

    @Test func `a report shows verdicts, the places that fail, and how to try again`() throws {
        let document = try JSONDocument.parse(
            Array(
                #"""
                {"pauseReason": "loop", "warnings": ["mirror policy q matches nothing: there is no route r"],
                 "lanes": [{"policy": "p", "target": "t", "considered": 5, "filtered": {"path": 1},
                 "notSampled": 1, "dropped": {"rate": 1}, "queued": 0, "sent": 2, "answered": 1, "failed": {"reset": 1},
                 "inFlight": 0}],
                 "verdicts": [{"policy": "p", "target": "t", "virtualServiceNamespace": "shop", "virtualService": "products",
                 "route": "r", "verdict": "fail", "reason": "beyond_margin", "design": "D2",
                 "explanation": "differs by more than the margin; held against the baseline's answers",
                 "breaker": {"openings": 3, "open": true, "baselineOpenings": 0}, "pairs": 100, "coverage": 0.98,
                 "missed": {"lag": 3}, "askedApart": 5, "errors": {"pairs": 100, "worse": 7, "better": 2}, "worse": 39.5, "better": 1, "worsePairs": 40, "betterPairs": 1, "excess": {"ratio": 0.39, "lower": 0.25, "upper": 0.5}, "noise": {"floor": null},
                 "places": [{"place": "content price", "fails": true, "kinds": ["value"], "mismatches": 40, "volatile": false},
                 {"place": "field x-token", "fails": true, "kinds": ["value"], "mismatches": 40, "repeats": 20, "volatile": true}],
                 "examples": [{"method": "GET", "productionStatus": 200, "candidate": "500",
                 "differences": [{"place": "content price", "production": "number #1", "candidate": "number #2"}],
                 "curl": "curl http://t/\u001b[2J"}]}]}
                """#.utf8
            )
        )
        let lines = MirrorReport(document).lines(TerminalStyle(isColoured: false, width: 200))
        let text = lines.joined(separator: "\n")
        #expect(lines.contains("mirror policy q matches nothing: there is no route r"))
        #expect(lines.first == "mirroring is paused: loop")
        #expect(text.contains("FAIL     p       t       shop/products  r        100    98.0 %     7/2     40       1"))
        #expect(text.contains("39.0 % (25.0 % to 50.0 %)"))
        #expect(text.contains("  fails  content price: value in 40 pairs"))
        let token = "field x-token: value in 40 pairs, 20 times again what it was before, where it should be new"
        #expect(text.contains("  fails  " + token))
        #expect(text.contains("FAIL t on shop/products r"))
        #expect(text.contains("differs by more than the margin"))
        #expect(text.contains("held against the baseline's answers"))
        #expect(text.contains("apart  5 pairs with other values set aside: not sent at once"))
        #expect(text.contains("missed 3 sent too long after production's response"))
        #expect(text.contains("errors only the target 7, only the other side 2, of 100 pairs"))
        #expect(text.contains("breaker opened 3 times, and is open now; the baseline's 0 times"))
        #expect(text.contains("GET 200 / 500"))
        #expect(!text.contains("\u{1B}"))
        #expect(text.components(separatedBy: "GET 200 / 500").count == 2, "one example a place")
        #expect(lines.last == "Values are keyed hashes (#…); comparison.showsValues: true shows them.")
        var report = MirrorReport(document)
        report.selection = MirrorReport.Selection(route: "another", isFailingOnly: false)
        #expect(report.shown.isEmpty)
        #expect(report.lines(.plain).last == "  no verdict is of route another; there are: shop/products r")
        report.selection = MirrorReport.Selection(route: "shop/products", isFailingOnly: true)
        #expect(report.shown.count == 1)
    }

    @Test(arguments: [0, 3])
    func `a recording in which replayed responses are missing does not pass by those that are there`(missing: Int)
        throws
    {
        let entries = (0..<6000).map { number in
            var entry = Self.replayedEntry(number)
            if number % 10 < missing { entry.replayed = [] }
            return entry
        }
        let judged = try #require(MirrorReportPlan.judged(Recording(entries: entries)))
        let verdict = try #require(judged.report.verdicts.first)
        #expect(verdict["verdict"] == (missing == 0 ? "pass" : "inconclusive"))
        guard missing > 0 else { return #expect(judged.note == nil) }
        #expect(verdict["reason"] == "coverage" && verdict["missed"] == ["unanswered": 1800])
        #expect(judged.note == "1,800 of 6,000 requests have no replayed response and count as missing")
        let text = judged.report.lines(TerminalStyle(isColoured: false, width: 200)).joined(separator: "\n")
        #expect(text.contains("missed 1,800 without a replayed response in the recording"))
        #expect(text.contains("do     replay all requests, and see why the target did not respond to some"))
        #expect(MirrorReportPlan.judged(Recording(entries: entries.filter(\.replayed.isEmpty))) == nil)
    }

    /// A request that was replayed, with the same response.
    private static func replayedEntry(_ number: Int) -> RecordingEntry {
        var entry = ReplaySamples.entry("GET", "/\(number)", at: Int64(number) * 100)
        entry.exchange.durationNanoseconds = 1_000_000
        entry.replayed = [
            ReplayedAnswer(
                time: entry.exchange.startTime + 2_000_000,
                roundTripNanoseconds: 1_000_000,
                response: ReplaySamples.response()
            )
        ]
        return entry
    }

    @Test(arguments: ["missing", "cut", "garbage"])
    func `a recording in which a twenty-fifth of replays is missing or damaged does not pass`(kind: String) throws {
        let entries = (0..<6000).map { number in
            var entry = ReplaySamples.entry("GET", "/\(number)", at: Int64(number) * 100)
            entry.exchange.durationNanoseconds = 1_000_000
            let time = entry.exchange.startTime + 2_000_000
            if number % 25 != 0 {
                let response = ReplaySamples.response()
                entry.replayed = [ReplayedAnswer(time: time, roundTripNanoseconds: 1, response: response)]
            } else if kind != "missing" {
                entry.replayed = [ReplayedAnswer(time: time, roundTripNanoseconds: 1, isCut: kind == "cut")]
            }
            return entry
        }
        let judged = try #require(MirrorReportPlan.judged(Recording(entries: entries)))
        let verdict = try #require(judged.report.verdicts.first)
        #expect(verdict["verdict"] == (kind == "missing" ? "inconclusive" : "fail"))
        #expect(verdict["reason"] == (kind == "missing" ? "coverage" : "errors"))
    }

    @Test func `a recording with too few replayed answers asks for more of them, and not for patience`() throws {
        let entries = (0..<100).map(Self.replayedEntry)
        let judged = try #require(MirrorReportPlan.judged(Recording(entries: entries)))
        let verdict = try #require(judged.report.verdicts.first)
        #expect(verdict["verdict"] == "inconclusive" && verdict["reason"] == "more_pairs_needed")
        #expect(verdict["remedy"] == "replay more requests, and report on all recordings together")
    }

    @Test func `a recording that was replayed a day later is judged`() throws {
        let day: Int64 = 86_400_000_000_000
        let entries = (0..<6000).map { number in
            var entry = ReplaySamples.entry("GET", "/\(number)", at: Int64(number) * 1000)
            entry.exchange.durationNanoseconds = 1_000_000
            entry.replayed = [
                ReplayedAnswer(
                    time: entry.exchange.startTime + day,
                    roundTripNanoseconds: 1_000_000,
                    response: ReplaySamples.response()
                )
            ]
            return entry
        }
        let judged = try #require(MirrorReportPlan.judged(Recording(entries: entries)))
        #expect(judged.report.verdicts.first?["verdict"] == "pass")
    }

    @Test func `replayed answers of all times that there are have a report`() throws {
        let entries = [Int64.min, -1, 0, .max].map { time in
            var entry = ReplaySamples.entry()
            entry.exchange.startTime = time
            entry.replayed = [
                ReplayedAnswer(time: time, roundTripNanoseconds: .max, response: ReplaySamples.response())
            ]
            return entry
        }
        let judged = try #require(MirrorReportPlan.judged(Recording(entries: entries)))
        #expect(!judged.report.verdicts.isEmpty && judged.note == nil)
    }

    @Test func `an agent that compared nothing has a report all the same`() {
        let lines = MirrorReport(.object(JSONObject([:]))).lines(TerminalStyle(isColoured: false, width: 80))
        #expect(lines == ["Verdicts", "  nothing has been compared yet"])
    }

    @Test func `a report without failures says how many verdicts there are`() throws {
        let document = try JSONDocument.parse(Array(#"{"verdicts": [{"verdict": "pass", "route": "r"}]}"#.utf8))
        var report = MirrorReport(document)
        report.selection = MirrorReport.Selection(route: "r", isFailingOnly: true)
        #expect(report.lines(.plain).last == "  none fails or differs, of 1 verdict")
    }

    @Test func `one pair is one`() throws {
        let document = try JSONDocument.parse(
            Array(#"{"verdicts": [{"verdict": "inconclusive", "askedApart": 1}]}"#.utf8)
        )
        let text = MirrorReport(document).lines(.plain).joined(separator: "\n")
        #expect(text.contains("apart  1 pair with other values set aside"))
    }

    @Test(arguments: [(1, "not sent at once"), (4, "they waited at the agent or the targets")])
    func `a report says why pairs with other values are set aside`(delayed: Int, cause: String) throws {
        let document = try JSONDocument.parse(
            Array(#"{"verdicts": [{"verdict": "inconclusive", "askedApart": 5, "delayed": \#(delayed)}]}"#.utf8)
        )
        let text = MirrorReport(document).lines(TerminalStyle(isColoured: false, width: 200)).joined(separator: "\n")
        #expect(text.contains("apart  5 pairs with other values set aside: \(cause)"))
    }
}
