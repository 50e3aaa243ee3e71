// Wingmirror · Apache-2.0

import Redaction
import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct ShadowSealTests {
    private static let seal = ShadowSeal(secret: "secret")
    private static let start: Int64 = 1_795_406_760_123_456_789
    private static let minute: Int64 = 60_000_000_000

    /// A copy with a seal, as a target receives it.
    private func copy(
        method: String = "GET",
        seal: ShadowSeal? = seal,
        number: Int = 0
    ) throws -> RecordedRequest {
        var policy = MirrorPolicy(name: "p", targets: ["t"])
        policy.methods = ["POST"]
        let builder = ShadowRequestBuilder(
            policy: policy,
            target: MirrorTarget(name: "t", host: "staging.test", port: 8080),
            node: "node-1",
            key: RedactionKey(high: 1, low: 2)
        )
        let original = RecordedRequest(
            method: method,
            target: Array("/a?b=c".utf8),
            message: RecordedMessage(fields: [RecordedField(name: "Host", value: "shop.example.com")])
        )
        let copy = try builder.build(
            RecordedExchange(request: original, startTime: Self.start),
            copy: number,
            seal: seal
        )
        return RecordedRequest(
            method: copy.method,
            target: Array(copy.target.utf8),
            message: RecordedMessage(fields: copy.fields.map { RecordedField(name: $0.name, value: $0.value) })
        )
    }

    private func verifies(_ request: RecordedRequest, _ seal: ShadowSeal = seal, at time: Int64 = start) -> Bool {
        request.withView { seal.verifies($0, at: time) }
    }

    private func changed(_ request: RecordedRequest, _ name: String, to value: String) -> RecordedRequest {
        var request = request
        for index in request.message.fields.indices where request.message.fields[index].isNamed(name) {
            request.message.fields[index].value = Array(value.utf8)
        }
        return request
    }

    @Test(arguments: ["GET", "POST", "M-SEARCH"])
    func `a copy is known by every agent with the same secret`(method: String) throws {
        let request = try copy(method: method)
        #expect(verifies(request))
        #expect(verifies(request, ShadowSeal(secret: "secret")))
        #expect(!verifies(request, ShadowSeal(secret: "other")))
        var generator = SystemRandomNumberGenerator()
        #expect(!verifies(request, ShadowSeal(using: &generator)))
    }

    @Test func `a copy is known wherever proxies rewrote its path and Host`() throws {
        var request = changed(try copy(), "host", to: "www.example.com")
        request.target = Array("/rewritten".utf8)
        #expect(verifies(request))
    }

    @Test func `a copy is known for ten minutes either way`() throws {
        let request = try copy()
        for minutes in [Int64(-10), -1, 0, 1, 10] {
            #expect(verifies(request, at: Self.start + minutes * Self.minute))
        }
        for time in [Self.start - 11 * Self.minute, Self.start + 11 * Self.minute, 0, .min, .max] {
            #expect(!verifies(request, at: time))
        }
    }

    @Test func `a code holds for its method, trace and minute only`() throws {
        let request = try copy()
        let marker = try #require(request.message.firstText(of: ShadowMarker.fieldName))
        var other = request
        other.method = "PUT"
        #expect(!verifies(other))
        let trace = try #require(try copy(number: 1).message.firstText(of: "traceparent"))
        #expect(!verifies(changed(request, "traceparent", to: trace)))
        #expect(!verifies(changed(request, "traceparent", to: "x")))
        let minute = Self.start / Self.minute
        let moved = marker.replacing("minute=\(minute)", with: "minute=\(minute + 1)")
        #expect(moved != marker)
        #expect(!verifies(changed(request, ShadowMarker.fieldName, to: moved)))
    }

    @Test(arguments: [
        "", "n", "n;hops=1", ";;;", "n;code=", "n;minute=;code=", "n;minute=29923446", "n;code=0123456789abcdef",
        "n;minute=29923446;code=0123456789abcdef", "n;minute=29923446;code=0123456789abcde",
        "n;minute=29923446;code=0123456789abcdefg", "n;minute=-1;code=0123456789abcdef",
        "n;minute=99999999999999999999;code=0123456789abcdef", "n;minute=9223372036854775807;code=0123456789abcdef",
    ])
    func `a marker that a client made up does not verify`(value: String) throws {
        #expect(!verifies(changed(try copy(), ShadowMarker.fieldName, to: value)))
    }

    @Test func `a copy without a seal bears the marker and no code`() throws {
        let request = try copy(seal: nil)
        #expect(request.message.firstText(of: ShadowMarker.fieldName) == "node-1;hops=1")
        #expect(!verifies(request))
    }

    @Test func `a marker with a code says how often the request was copied`() throws {
        let request = try copy()
        #expect(request.withView { ShadowMarker.hops(of: $0) } == 1)
        #expect(request.message.firstText(of: ShadowMarker.fieldName)?.hasPrefix("node-1;hops=1;minute=") == true)
    }
}
