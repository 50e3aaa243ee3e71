// Wingmirror · Apache-2.0

import ArgumentParser
import JSONSyntax
import TestSupport
import Testing
import TrafficMetrics

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct TopPlanTests {
    private func plan(_ arguments: String...) throws -> TopPlan {
        let command = try #require(try Wingmirror.parseAsRoot(["top"] + arguments) as? TopCommand)
        return try TopPlan(command)
    }

    private func problems(_ arguments: String...) -> [String] {
        AgentCommandsTests.problems {
            let command = try Wingmirror.parseAsRoot(["top"] + arguments) as? TopCommand
            _ = try command.map { try TopPlan($0) }
        }
    }

    @Test func `savefiles are read in real time unless another pace is asked for`() throws {
        #expect(try plan("a.pcap").configuration.capture.pace == .realtime)
        #expect(try plan("a.pcap", "--pace", "fast").configuration.capture.pace == .fast)
        #expect(try plan("a.pcap", "--once").configuration.capture.pace == .fast)
        #expect(try plan("a.pcap", "--once", "--pace", "realtime").configuration.capture.pace == .realtime)
    }

    @Test func `json is the same as ndjson, and other outputs are refused`() throws {
        #expect(try plan("a.pcap", "--once", "--output", "json").output == .ndjson)
        #expect(try plan("a.pcap").output == .table)
        let refused = "--output: expected one of table, ndjson (or json), found \"xml\""
        #expect(problems("a.pcap", "--output", "xml") == [refused])
    }

    @Test func `an agent is named by its URL alone`() throws {
        let plan = try plan("--agent", "http://127.0.0.1:9646", "--window", "5m", "--interval", "2s", "--sort", "p99")
        #expect(plan.origin == .agent(try #require(ServerURL("http://127.0.0.1:9646")), AgentAccess()))
        #expect((plan.window, plan.interval) == (.seconds(300), .seconds(2)))
        #expect(plan.order == .p99)
    }

    @Test func `the token is the first line of its file that says something`() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("# of the page\n\nsecret-token\nother-token\n", to: "token")
        let plan = try plan("--agent", "https://agent.example", "--token-file", path)
        let agent = try #require(ServerURL("https://agent.example"))
        #expect(plan.origin == .agent(agent, AgentAccess(token: "secret-token")))
    }

    @Test(arguments: [
        (["--interval", "1"], "--interval"), (["--interval", "1ms"], "--interval"), (["--window", "3h"], "--window"),
        (["--sort", "colour"], "--sort"), (["--pace", "slow"], "--pace"), (["--interface", "eth0"], "--interface"),
        (["--token-file", "token"], "--token-file"),
    ])
    func `each option that makes no sense is named`(_ arguments: [String], _ option: String) throws {
        let command = try #require(try Wingmirror.parseAsRoot(["top", "a.pcap"] + arguments) as? TopCommand)
        let problems = #expect(throws: ConfigurationProblems.self) { try TopPlan(command) }
        #expect(problems?.problems.count == 1)
        #expect(problems?.problems.first?.description.hasPrefix(option) == true)
    }

    @Test func `what an agent has of its own cannot be given too`() {
        #expect(problems("--agent", "http://a:1", "b.pcap").count == 1)
        #expect(problems("--agent", "http://a:1", "--routes", "x").count == 1)
        #expect(problems("--agent", "ftp://a").count == 1)
        #expect(problems("--agent", "http://a:1", "--token-file", "/nonexistent/token").count == 1)
        #expect(problems().count == 1)
    }

    // MARK: - Answers of an agent

    @Test func `a frame is made of an agent's answers`() throws {
        let routes = try JSONDocument.parse(
            Array(
                #"""
                {"time":"2026-11-23T10:00:00.500000Z","generation":3,"windowSeconds":60,"routes":[
                {"id":"00ff","object":"shop/vs","route":"#0","gateway":"istio-system/public","hosts":["a.example"],
                "matches":[{"conditions":"uri prefix /a"}],"matchCount":3,"target":"svc","inTable":true,
                "requests":120,"windowRequests":60,"windowFailures":6,"requestsPerSecond":1,"errorShare":0.1,
                "p50":0.01,"p95":null,"p99":0.5,"trend":[null,0,1.5],"lastRequestTime":null}]}
                """#.utf8
            )
        )
        let status = try JSONDocument.parse(
            Array(
                #"""
                {"visibility":{"windowSeconds":60,"packetsPerSecond":12.5,"sinceStart":{"packets":90,"lostPackets":10,
                "gaps":2,"gapOctets":100,"connections":8,"opaqueConnections":2,"answersAlone":3}},"unmatchedPerSecond":{"no_host":0.5},
                "unmatchedAnswers":{"failures":1,"unseen":2,"served":4}}
                """#.utf8
            )
        )
        let frame = TopFrame(source: "http://a:1", routes: routes, status: status)
        let row = try #require(frame.rows.first)
        #expect(row.match == "uri prefix /a (+2)")
        #expect((row.requests, row.windowFailures, row.errorShare) == (120, 6, 0.1))
        #expect(row.latency == LatencyQuantiles(p50: 0.01, p95: nil, p99: 0.5))
        #expect(row.trend == [nil, 0, 1.5])
        #expect((frame.truth?.lostPackets, frame.truth?.opaqueConnections) == (10, 2))
        #expect(frame.unmatchedPerSecond == [.init(reason: .noHost, perSecond: 0.5)])
        #expect((frame.truth?.windowRequests, frame.truth?.answersAlone, frame.unmatchedServed) == (90, 3, 4))
        #expect(frame.requestsPerSecond == 1.5)
        #expect(frame.time == "2026-11-23T10:00:00.500Z")
    }

    @Test func `the past of a route is made of an agent's answer, and what is odd in it left out`() throws {
        let document = try JSONDocument.parse(
            Array(
                #"""
                {"timeline":[{"start":"2026-11-23T10:00:00.000000Z","end":"2026-11-23T10:00:10.000000Z",
                "classes":{"2xx":5,"5xx":1},"p50":0.02,"buckets":[[0.01,0.02,4],[1,2],"x"]},{"start":"x"},3]}
                """#.utf8
            )
        )
        let detail = TopDetail(id: "00ff", document)
        let point = try #require(detail.points.first)
        #expect(detail.points.count == 1)
        #expect(point.end - point.start == 10_000_000_000)
        #expect(point.requests == 6)
        #expect(point.buckets == [.init(lower: 0.01, upper: 0.02, requests: 4)])
    }

    @Test func `an answer that is something else makes an empty frame`() {
        let frame = TopFrame(source: "a", routes: .array([]), status: .null)
        #expect(frame.rows.isEmpty)
        #expect(frame.truth == nil)
        #expect(frame.time == nil)
    }
}
