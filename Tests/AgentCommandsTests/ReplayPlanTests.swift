// Wingmirror · Apache-2.0

import AnswerComparison
import ArgumentParser
import JSONSyntax
import Recordings
import ShadowTesting
import TestSupport
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct ReplayPlanTests {
    private func plan(_ arguments: String...) throws -> ReplayPlan {
        let command = try #require(try Wingmirror.parseAsRoot(["replay"] + arguments) as? ReplayCommand)
        return try ReplayPlan(command)
    }

    @Test func `a recording and a target are enough`() throws {
        let plan = try plan("a.gor", "--target", "http://127.0.0.1:9000")
        #expect(plan.recordings == ["a.gor"])
        #expect(plan.target.host == "127.0.0.1")
        #expect(plan.target.port == 9000)
        #expect(plan.target.hostField == .target)
        #expect(plan.target.inFlight == 64)
        #expect(plan.pace == .speed(1))
        #expect(plan.loops == 1)
        #expect(plan.policy.percent == 100)
        #expect(plan.policy.methods == [])
    }

    @Test func `every option has its effect`() throws {
        let plan = try plan(
            "a.gor",
            "b.ndjson",
            "--target",
            "https://staging.example.internal",
            "--rate",
            "100/s",
            "--loop",
            "3",
            "--percent",
            "2.5",
            "--methods",
            "POST,PUT",
            "--methods",
            "DELETE",
            "--keep-field",
            "Cookie",
            "--host",
            "original",
            "--allow-host",
            "staging.example.internal",
            "--timeout",
            "500ms",
            "--in-flight",
            "8",
            "--filter",
            "tcp port 80",
            "--output",
            "ndjson"
        )
        #expect(plan.recordings == ["a.gor", "b.ndjson"])
        #expect(plan.target.usesTLS)
        #expect(plan.target.port == 443)
        #expect(plan.target.hosts == ["staging.example.internal"])
        #expect(plan.target.hostField == .original)
        #expect(plan.target.timeout == .milliseconds(500))
        #expect(plan.target.connectTimeout == .milliseconds(500))
        #expect(plan.target.inFlight == 8)
        #expect(plan.pace == .rate(100))
        #expect(plan.loops == 3)
        #expect(plan.policy.percent == 2.5)
        #expect(plan.policy.methods == ["POST", "PUT", "DELETE"])
        #expect(plan.policy.keptFields == ["cookie"])
        #expect(plan.filter == "tcp port 80")
        #expect(plan.output == .ndjson)
    }

    @Test func `all mistakes are told, one line each`() {
        let found = problems {
            _ = try plan(
                "--target",
                "ftp://x",
                "--speed",
                "fast",
                "--loop",
                "0",
                "--percent",
                "101",
                "--host",
                "both",
                "--timeout",
                "soon",
                "--in-flight",
                "0",
                "--output",
                "xml",
                "--methods",
                "NO METHOD"
            )
        }
        for option in [
            "RECORDING", "--target", "--speed", "--loop", "--percent", "--host", "--timeout", "--in-flight", "--output",
            "--methods",
        ] {
            #expect(found.contains { $0.hasPrefix("\(option):") }, "\(option)")
        }
        #expect(found.allSatisfy { !$0.contains("\n") })
    }

    @Test func `authorities and keys are files, and authorities need an https target`() throws {
        let folder = try TemporaryFolder()
        let empty = try folder.write("no certificate", to: "ca.pem")
        let found = problems { _ = try plan("a", "--target", "http://h", "--ca-file", empty) }
        #expect(found == ["--ca-file: goes with a target whose URL begins with https"])
        for (file, reason) in [(empty, "no certificates in PEM form are in it"), ("/nosuch/ca.pem", "")] {
            let found = problems { _ = try plan("a", "--target", "https://h", "--ca-file", file) }
            #expect(found.count == 1 && found[0].hasPrefix("--ca-file: \(file): \(reason)"), "\(found)")
        }
        #expect(try plan("a", "--target", "http://h", "--key-log", "keys").keyLog == "keys")
    }

    @Test func `speed and rate exclude each other`() {
        let found = problems { _ = try plan("a", "--target", "http://h", "--speed", "2x", "--rate", "1/s") }
        #expect(found == ["--rate: --speed and --rate cannot both be given"])
    }
}

@Suite struct ReplayReportTests {
    private static var summary: ReplaySummary {
        var summary = ReplaySummary()
        summary.recorded = 2000
        summary.planned = 1500
        summary.filtered = [.method: 400]
        summary.notSampled = 100
        summary.losses.count(.cutMessage)
        summary.withoutCredentials = 12
        summary.placeholders = 3
        let request = ShadowRequest(method: "GET", target: "/a", fields: [])
        for place in 0..<1000 {
            summary.add(
                ReplayOutcome(
                    place: place,
                    loop: 0,
                    request: request,
                    due: .zero,
                    lateness: .microseconds(place),
                    latency: .milliseconds(place % 100),
                    result: place % 10 == 0
                        ? .failure(.timeout) : .success(ReplaySamples.response(place % 3 == 0 ? 500 : 200)),
                    word: place % 3 == 0 ? .statusDiffers : .same,
                    places: place % 3 == 0 ? [.status] : []
                )
            )
        }
        summary.elapsed = .seconds(15)
        summary.isInterrupted = true
        return summary
    }

    @Test func `the summary for people tells every count`() {
        let text = ReplayReport(summary: Self.summary, target: "http://t:1").lines.joined(separator: "\n")
        for part in [
            "sent 1,000 of 1,500 requests to http://t:1 in 15 s, interrupted; 2,000 exchanges recorded",
            "answered    900 · 2xx 600 · 5xx 300", "failed      timeout 100",
            "not chosen  method 400 · not sampled 100",
            "same 666 · status_differs 334", "differs in  status 334", "recording   1 record whose message is cut",
            "left out    the credentials of 12 recorded requests · 3 values that were redacted",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test func `the summary for programs holds the same`() throws {
        let line = try JSONDocument.parse(ReplayReport(summary: Self.summary, target: "http://t:1").line)
        let summary = try #require(line["summary"])
        #expect(summary["sent"] == .integer(1000))
        #expect(summary["planned"] == .integer(1500))
        #expect(summary["failed"] == ["timeout": 100])
        #expect(summary["filtered"] == ["method": 400])
        #expect(summary["notSampled"] == .integer(100))
        #expect(summary["losses"] == ["cut_message": 1])
        #expect(summary["interrupted"] == true)
        #expect(summary["withoutCredentials"] == .integer(12))
        #expect(summary["mismatches"] == .integer(334))
        #expect(summary["latencySeconds"]?["longest"] == .double(0.099))
    }

    @Test func `all differences are in the summary for programs, and the others counted in that for people`() throws {
        var summary = ReplaySummary()
        for number in 0..<11 { summary.differences[.field("x-\(number)")] = 1 }
        let report = ReplayReport(summary: summary, target: "http://t:1")
        guard case .object(let places)? = try JSONDocument.parse(report.line)["summary"]?["differences"] else {
            Issue.record("no differences")
            return
        }
        #expect(places.members.count == 11)
        #expect(report.lines.contains { $0.hasPrefix("  differs in") && $0.hasSuffix(" · and 3 other places") })
    }

    @Test func `a line names the recorded request by its time and connection`() throws {
        var outcome = ReplayOutcome(
            place: 0,
            loop: 0,
            request: ShadowRequest(method: "GET", target: "/a", fields: []),
            due: .zero,
            lateness: .zero,
            latency: .zero,
            result: .failure(.timeout),
            word: .skipped,
            places: [],
            startTime: 1_795_406_760_123_456_000,
            connection: 17
        )
        let line = try JSONDocument.parse(ReplayReport.line(outcome))
        #expect(line["startTime"] == "2026-11-23T04:06:00.123456Z" && line["connection"] == .integer(17))
        outcome.connection = -1
        #expect(try JSONDocument.parse(ReplayReport.line(outcome))["connection"] == .null)
    }

    @Test func `the progress shows how far it is`() {
        let line = ReplayProgress.line(Self.summary, of: 1500)
        #expect(line.contains("66 %  1,000 of 1,500  100 failed  334 differ"))
        #expect(ReplayProgress.line(ReplaySummary(), of: 0).contains("100 %"))
    }
}
