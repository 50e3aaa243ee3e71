// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser
import JSONSyntax
import Testing

@testable import AgentCommands

/// Several agents in one view.
@Suite struct AgentsReportTests {
    private static func answer(
        _ name: String,
        configuration: String = "aaaa",
        table: String = "1111",
        requests: Int = 100,
        failures: Int = 10,
        p99: String = "0.5",
        unseen: Int = 0,
        verdict: String = "pass",
        notices: String = "[]"
    ) throws -> AgentAnswer {
        func parsed(_ text: String) throws -> JSONValue { try JSONDocument.parse(Array(text.utf8)) }
        return AgentAnswer(
            name: name,
            result: .success(
                AgentAnswer.Documents([
                    try parsed(
                        """
                        {"version": "1.0", "startTime": "2026-11-28T10:00:00Z", "configuration": {"sha256": \
                        "\(configuration)", "latestReloadSuccessful": true}, "routes": {"hash": "\(table)", "routes": 2, \
                        "latestReloadSuccessful": true}, "requests": {"matched": \(requests), "unmatched": 5}, \
                        "memory": {"leftOut": "nothing"}, "gatewayNotices": \(notices)}
                        """
                    ),
                    try parsed(
                        """
                        {"routes": [{"id": "r1", "object": "shop/storefront", "route": "pages", "gateway": "edge/g", \
                        "requests": \(requests), "windowRequests": 50, "windowFailures": \(failures), \
                        "requestsPerSecond": 2.5, "windowClientErrors": 5, "windowUnseen": \(unseen), "p99": \(p99), "inTable": true}, \
                        {"id": "r0", "object": "shop/idle", "route": "rest", "gateway": "edge/g", "requests": 0, \
                        "windowRequests": 0, "windowFailures": 0, "requestsPerSecond": null, "p99": null, "inTable": true}]}
                        """
                    ),
                    try parsed(
                        """
                        {"verdicts": [{"policy": "canary", "target": "staging", "virtualServiceNamespace": "shop", \
                        "virtualService": "storefront", "route": "pages", "verdict": "\(verdict)", "pairs": 1000, \
                        "worsePairs": 3, "betterPairs": 1}]}
                        """
                    ),
                ])
            )
        )
    }

    @Test func `rates, requests, failures and comparisons of one route are added up over the agents`() throws {
        let report = AgentsReport([try Self.answer("http://a"), try Self.answer("http://b", p99: "0.75")])
        let route = try #require(report.routes.first)
        #expect(route.object == "shop/storefront" && route.agents == 2)
        #expect(route.rate == 5 && route.requests == 200 && route.windowRequests == 100)
        #expect(route.failures == 20 && route.clientErrors == 10)
        // Percentiles cannot be added up, so the table has the worst and says so.
        #expect(route.worstP99 == 0.75)
        #expect(report.routes.last?.worstP99 == nil)
        let verdict = try #require(report.verdicts.first)
        #expect(verdict.pairs == 2000 && verdict.worse == 6 && verdict.better == 2 && verdict.words == ["pass": 2])
        #expect(report.drift == [])
        #expect(report.lines(.plain).contains { $0.contains("WORST P99") })
    }

    @Test func `where hardly an answer was seen there is no share and no percentile`() throws {
        let seldom = AgentsReport([try Self.answer("http://a", failures: 5, unseen: 45)])
        let row = try #require(seldom.lines(.plain).first { $0.contains("shop/storefront  pages") })
        #expect(!row.contains("%") && !row.contains("500 ms"))
        // One more, and they are a sample.
        let often = AgentsReport([try Self.answer("http://a", failures: 5, unseen: 44)])
        #expect(often.lines(.plain).contains { $0.contains("83.3 %") && $0.contains("500 ms") })
    }

    @Test func `a narrow terminal cuts names in the middle, so that agents stay apart`() throws {
        let names = [1, 2].map { "http://gateway-node-of-the-north-\($0):9646" }
        let lines = AgentsReport(try names.map { try Self.answer($0) }).lines(TerminalStyle(width: 60))
        #expect(lines.count { $0.contains("1:9646") } == 1 && lines.count { $0.contains("2:9646") } == 1)
    }

    @Test func `agents that differ are named with what they differ in`() throws {
        let report = AgentsReport([
            try Self.answer("http://a"), try Self.answer("http://b"),
            try Self.answer("http://c", configuration: "bbbb", table: "2222", verdict: "fail"),
        ])
        #expect(
            report.drift == [
                "configurations differ: aaaa on 2 (http://a, http://b); bbbb on 1 (http://c)",
                "route tables differ: 1111 on 2 (http://a, http://b); 2222 on 1 (http://c) "
                    + "(nodes with other gateways have other routes)",
            ]
        )
        #expect(report.verdicts.first?.words == ["pass": 2, "fail": 1])
        #expect(report.lines(.plain).contains { $0.contains("1 fail, 2 pass") })
    }

    @Test func `an agent that does not answer is named, and the others are shown`() throws {
        let silent = AgentAnswer(name: "http://x", result: .failure(AgentClient.Refusal(reason: "no answer")))
        let report = AgentsReport([silent, try Self.answer("http://a", notices: #"["2 addresses answer"]"#)])
        #expect(report.silent == [AgentsReport.Silent(name: "http://x", reason: "no answer")])
        let lines = report.lines(.plain)
        #expect(lines.contains { $0.contains("http://x: no answer") })
        #expect(lines.contains { $0.contains("http://a: 2 addresses answer") })
        #expect(report.document["silent"]?.arrayValue?.count == 1)
        #expect(report.document["agents"]?.arrayValue?.count == 1)
    }

    @Test func `agents of a cluster have a column for their nodes, others have none`() throws {
        let plain = try Self.answer("http://a")
        #expect(!AgentsReport([plain, plain]).lines(.plain).contains { $0.contains("NODE") })
        let pods = ["node-a", "node-b"].map {
            AgentAnswer(name: "wingmirror/\($0)-pod", node: $0, result: plain.result)
        }
        let report = AgentsReport(pods)
        let lines = report.lines(.plain)
        #expect(lines[1].split(separator: " ").prefix(3) == ["AGENT", "NODE", "VERSION"])
        #expect(lines[2].split(separator: " ").prefix(3) == ["wingmirror/node-a-pod", "node-a", "1.0"])
        #expect(report.document["agents"]?.arrayValue?.first?["node"]?.stringValue == "node-a")
    }

    // MARK: - Options

    private func problems(_ arguments: [String]) -> [String] {
        AgentCommandsTests.problems {
            _ = try AgentsPlan(try #require(try Wingmirror.parseAsRoot(["agents"] + arguments) as? AgentsCommand))
        }
    }

    @Test func `an agent named twice, or no URL, is refused`() {
        #expect(problems(["--agent", "http://127.0.0.1:1", "--agent", "http://127.0.0.1:2"]).isEmpty)
        #expect(problems(["--agent", "http://a:1", "--agent", "http://a:1/"]).contains { $0.contains("named twice") })
        #expect(problems(["--agent", "nonsense"]).contains { $0.contains("expected a URL") })
        #expect(problems(["--kubernetes", "--context", "c", "--namespace", "n"]).isEmpty)
        #expect(problems(["--kubernetes", "--agent", "http://a:1"]).contains { $0.contains("leave out one") })
        #expect(problems(["--context", "c"]).contains { $0.contains("with --kubernetes only") })
        #expect(problems(["--kubernetes", "--namespace", "a/b"]).contains { $0.contains("name of a namespace") })
        #expect(problems(["--output", "xml"]).contains { $0.contains("expected one of table, json") })
    }
}
