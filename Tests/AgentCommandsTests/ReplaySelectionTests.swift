// Wingmirror · Apache-2.0

import AnswerComparison
import Recordings
import ShadowTesting
import Testing
import TrafficModel

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

@Suite struct ReplaySelectionTests {
    private static func select(
        _ entries: [RecordingEntry],
        _ change: (inout MirrorPolicy) -> Void = { _ in }
    ) throws -> ReplaySelection {
        let policy = ReplaySamples.policy(change)
        return try ReplaySelection(
            of: Recording(entries: entries),
            policy: policy,
            builder: ReplaySamples.builder(policy)
        )
    }

    private static func targets(_ selection: ReplaySelection) -> [String] {
        selection.chosen.map(\.exchange.request.targetText)
    }

    @Test(arguments: [
        ("an unsafe method", FilterReason.method, ReplaySamples.entry("POST", "/x", content: "a")),
        ("a method in disguise", .methodOverride, ReplaySamples.entry(fields: [("X-HTTP-Method-Override", "DELETE")])),
        ("a path of the deny list", .path, ReplaySamples.entry("GET", "/logout")),
        ("a copy already", .marked, ReplaySamples.entry(fields: [("wingmirror-shadow", "n;hops=1")])),
        ("a request with a hole", .integrity, ReplaySamples.entry(integrity: ["request_gap"])),
        ("octets that are no text", .unsendable, ReplaySamples.entry(fields: [("X", "a\u{FFFD}")])),
    ])
    func `what mirroring does not send is not sent`(
        _ label: String,
        _ reason: FilterReason,
        _ entry: RecordingEntry
    ) throws {
        let selection = try Self.select([entry, ReplaySamples.entry("GET", "/good", at: 1)])
        #expect(Self.targets(selection) == ["/good"])
        #expect(selection.filtered == [reason: 1])
    }

    @Test func `a request with missing content is not sent`() throws {
        var entry = ReplaySamples.entry("POST", "/", content: "abc")
        entry.exchange.request.message.contentOctets = 10
        let selection = try Self.select([entry]) { $0.methods = ["POST"] }
        #expect(selection.filtered == [.integrity: 1])
    }

    @Test func `methods that are named are sent`() throws {
        let entries = [ReplaySamples.entry("POST", "/a", content: "x"), ReplaySamples.entry("DELETE", "/b", at: 1)]
        let selection = try Self.select(entries) { $0.methods = ["POST"] }
        #expect(Self.targets(selection) == ["/a"])
        #expect(selection.filtered == [.method: 1])
    }

    @Test func `a request whose answer was not seen is sent`() throws {
        let entry = ReplaySamples.entry(response: nil, integrity: ["no_response"])
        #expect(try Self.select([entry]).chosen.count == 1)
    }

    @Test(arguments: [true, false]) func `a request that had ended before the connection broke off is sent`(
        isEnded: Bool
    ) throws {
        var entry = ReplaySamples.entry(response: nil, integrity: ["reset_by_server", "no_response"])
        entry.exchange.isRequestEnded = isEnded
        #expect(try Self.select([entry]).chosen.count == (isEnded ? 1 : 0))
    }

    @Test func `a share is chosen by client, and by exchange where the client is not known`() throws {
        let known = (0..<400).map {
            ReplaySamples.entry("GET", "/\($0)", at: Int64($0), client: "192.0.2.\($0 % 40)")
        }
        let chosen = try Self.select(known) { policy in
            policy.percent = 50
            policy.key = [.clientAddress, .exchange]
        }
        let clients = Set(chosen.chosen.map(\.exchange.clientAddress))
        #expect(chosen.chosen.count == clients.count * 10)
        #expect((8...32).contains(clients.count))
        #expect(chosen.notSampled == 400 - chosen.chosen.count)
        // Without a key of its own each exchange decides for itself.
        #expect((170...230).contains(try Self.select(known) { $0.percent = 50 }.chosen.count))
        let unknown = (0..<400).map { ReplaySamples.entry("GET", "/\($0)", at: Int64($0), client: "") }
        // Three standard deviations of a binomial distribution.
        #expect((170...230).contains(try Self.select(unknown) { $0.percent = 50 }.chosen.count))
    }

    @Test func `credentials are not sent, nor what a redaction left of them`() throws {
        let entry = ReplaySamples.entry(
            fields: [
                ("Authorization", "Bearer s3cr3t"), ("Cookie", "[redacted]"), ("X-Plain", "redacted-0123456789abcdef"),
                ("X-Kept", "1"),
            ]
        )
        let selection = try Self.select([entry]) { $0.keptFields = ["cookie"] }
        #expect(selection.placeholders == 2)
        #expect(selection.withoutCredentials == 1)
        #expect(try Self.select([ReplaySamples.entry(fields: [("X-Plain", "1")])]).withoutCredentials == 0)
        let policy = ReplaySamples.policy { $0.keptFields = ["cookie"] }
        let request = try ReplaySamples.builder(policy).build(try #require(selection.chosen.first).exchange)
        let names = Set(request.fields.map { $0.name.lowercased() })
        #expect(names.isDisjoint(with: ["authorization", "cookie", "x-plain"]))
        #expect(request.firstValue(of: "x-kept") == "1")
    }

    @Test func `parameters that a redaction replaced are not sent`() throws {
        let entry = ReplaySamples.entry("GET", "/a?token=redacted-0123456789abcdef&b=c")
        let selection = try Self.select([entry]) { $0.keptParameters = ["token"] }
        #expect(selection.placeholders == 1)
        #expect(try #require(selection.chosen.first).exchange.request.target == Array("/a?b=c".utf8))
    }

    @Test func `response fields that were redacted are not compared`() throws {
        var response = ReplaySamples.response()
        response.message.fields = [RecordedField(name: "X-Session", value: "[redacted]")]
        let entry = ReplaySamples.entry(response: response)
        let selection = try Self.select([entry])
        #expect(selection.unknownFields == ["x-session"])
        var answer = response
        answer.message.fields = [RecordedField(name: "X-Session", value: "real")]
        let policy = ReplaySamples.policy()
        let blind = ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: ["x-session"])
        #expect(blind.compare(entry.exchange, with: .success(answer)).word == .same)
        let seeing = ReplayComparison(policy: policy, target: ReplaySamples.target, unknownFields: [])
        #expect(seeing.compare(entry.exchange, with: .success(answer)).places == [.field("x-session")])
    }

    @Test(arguments: [206, 304, 412, 416])
    func `responses to conditions and ranges, which are not sent, are not compared`(status: Int) {
        let entry = ReplaySamples.entry(
            fields: [("If-None-Match", "\"1\"")],
            response: ReplaySamples.response(status, "")
        )
        let comparison = ReplayComparison(
            policy: ReplaySamples.policy(),
            target: ReplaySamples.target,
            unknownFields: []
        )
        #expect(comparison.compare(entry.exchange, with: .success(ReplaySamples.response())).word == .skipped)
    }

    @Test func `of requests for the head alone the lengths are compared`() {
        func response(_ length: String) -> RecordedResponse {
            var response = ReplaySamples.response(200, "")
            response.message.fields = [RecordedField(name: "Content-Length", value: length)]
            return response
        }
        let entry = ReplaySamples.entry("HEAD", response: response("5000"))
        let comparison = ReplayComparison(
            policy: ReplaySamples.policy(),
            target: ReplaySamples.target,
            unknownFields: []
        )
        #expect(comparison.compare(entry.exchange, with: .success(response("5000"))).word == .same)
        #expect(comparison.compare(entry.exchange, with: .success(response("2"))).places == [.field("content-length")])
    }
}

@Suite struct ProductionGuardTests {
    private static func refusal(
        _ host: String,
        _ port: Int = 8080,
        at address: String = "203.0.113.9",
        allowing hosts: [String] = [],
        recorded authority: String = "shop.example.com",
        server: String = "10.0.0.1"
    ) -> String? {
        var entry = ReplaySamples.entry()
        entry.exchange.request.message.fields = [RecordedField(name: "Host", value: authority)]
        entry.exchange.serverAddress = server
        let target = MirrorTarget(name: "replay", host: host, port: port, hosts: hosts)
        return ProductionGuard(Recording(entries: [entry]), target: target).refusal(of: target, at: [address])
    }

    @Test func `a host of the recording is refused on any port`() {
        #expect(Self.refusal("SHOP.example.com", 9999)?.contains("--allow-host") == true)
        #expect(Self.refusal("shop.example.com", recorded: "shop.example.com:8080") != nil)
        #expect(Self.refusal("staging.example.com") == nil)
    }

    @Test func `an address of a recorded server is refused, whatever name leads there`() {
        #expect(Self.refusal("staging.example.com", at: "10.0.0.1") != nil)
        #expect(Self.refusal("staging.example.com", at: "::ffff:10.0.0.1") != nil)
    }

    @Test func `an address, or this machine, is production's on its port only`() {
        #expect(
            Self.refusal("127.0.0.1", 9000, at: "127.0.0.1", recorded: "127.0.0.1:8080", server: "127.0.0.1") == nil
        )
        #expect(Self.refusal("127.0.0.1", 8080, at: "127.0.0.1", recorded: "127.0.0.1:8080") != nil)
        #expect(Self.refusal("::1", 80, at: "::1", recorded: "[::1]") != nil)
        #expect(Self.refusal("::1", 81, at: "::1", recorded: "[::1]") == nil)
    }

    @Test func `a host that is named may be sent to, and then no other`() {
        #expect(Self.refusal("shop.example.com", allowing: ["shop.example.com"]) == nil)
        #expect(Self.refusal("staging.example.com", allowing: ["shop.example.com"]) != nil)
    }

    @Test func `where clouds keep credentials nothing is sent`() {
        #expect(Self.refusal("metadata", at: "169.254.169.254", allowing: ["metadata"]) != nil)
    }
}
