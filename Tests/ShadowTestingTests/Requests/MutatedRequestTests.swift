// Wingmirror · Apache-2.0

import OctetText
import Testing
import TrafficModel

@testable import ShadowTesting

/// Changes requests at random, and holds everything that is decided on them and made of them to what must always be true.
@Suite struct MutatedRequestTests {
    private static let originals: [RecordedRequest] = [
        .client(
            "GET",
            "/graphql?query=%7Ba%7D&x=1;y=%zz",
            [("Cookie", "a=b; session=s; =;"), ("X-Request-Id", "0123456789abcdef")]
        ),
        .client(
            "POST",
            "http://u:p@h:80/a;jsessionid=1/b?token=t&x",
            [("Content-Type", "application/json")],
            content: #"{"user":{"a":[1,"b\u0041",null]}}"#
        ),
        .client(
            "PUT",
            "/form?_method=PUT",
            [("Content-Type", "application/x-www-form-urlencoded")],
            content: "a=b&password=c&_method=put"
        ),
        .client(
            "HEAD",
            "/a/../%2e%2E//logout?q",
            [
                ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                ("Connection", "close, x-a"),
                ("Referer", "https://a:b@c/?token=1#x"), ("Content-Length", "0"), ("Idempotency-Key", "\"k\""),
                ("wingmirror-shadow", "n;hops=2"),
            ]
        ),
    ]

    private static let interesting: [UInt8] = [
        0, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x23, 0x25, 0x26, 0x27, 0x2E, 0x2F, 0x3A, 0x3B, 0x3D, 0x3F, 0x40, 0x5B, 0x5C,
        0x5D,
        0x7B, 0x7D, 0x7F, 0x80, 0xC3, 0xFF,
    ]

    private func mutate(_ octets: inout [UInt8], using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let place = Int.random(in: 0...octets.count, using: &generator)
            let octet = Self.interesting.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: octets.insert(octet, at: place)
            case 1: octets.removeSubrange(place...)
            case 2: octets.insert(contentsOf: octets.prefix(place), at: place)
            default: if place < octets.count { octets[place] = octet }
            }
        }
    }

    private func mutated(_ original: RecordedRequest, using generator: inout SeededGenerator) -> RecordedRequest {
        var request = original
        mutate(&request.target, using: &generator)
        mutate(&request.message.content, using: &generator)
        request.message.contentOctets = Int64(request.message.content.count)
        for index in request.message.fields.indices where Bool.random(using: &generator) {
            mutate(&request.message.fields[index].value, using: &generator)
        }
        return request
    }

    @Test(arguments: UInt64(1)...8)
    func `whatever comes has one fate, and what is sent is well formed`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var driver = try PlanDriver(.everything { $0.methods = ["POST", "PUT"] })
        var builder = BuilderDriver { $0.target.hostField = .original }
        builder.policy.hashedContent = ["user"]
        var sentCount = 0
        for round in 0..<400 {
            let request = mutated(Self.originals[round % Self.originals.count], using: &generator)
            driver.tallies.removeAll()
            let selection = driver.decide(request)
            #expect(
                driver.tallies.considered(ofPolicy: 0) == (selection.isEmpty ? 1 : 0),
                "seed \(seed), round \(round)"
            )
            guard let sent = try? builder.build(request) else { continue }
            sentCount += 1
            #expect(isWellFormed(sent), "seed \(seed), round \(round)")
            let line = CurlLine.text(for: sent, to: builder.target)
            #expect(line.utf8.allSatisfy { 0x20..<0x7F ~= $0 }, "seed \(seed), round \(round)")
        }
        #expect(20..<300 ~= sentCount, "mutation should leave some requests fit to send, and not all of them")
    }

    private func isWellFormed(_ request: ShadowRequest) -> Bool {
        request.target.hasPrefix("/") && request.target.utf8.allSatisfy { 0x21..<0x7F ~= $0 }
            && request.fields.allSatisfy { field in
                field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
            }
            && request.values(of: "host").count == 1 && request.values(of: "wingmirror-shadow") == ["node-1;hops=1"]
            && request.values(of: "content-length").allSatisfy { $0 == String(request.content.count) }
    }
}
