// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import TrafficPipeline

/// What the head of an answer shows of who gave it.
@Suite struct AnswerTraitsTests {
    private static func traits(_ status: Int, _ fields: [(name: String, value: String)]) -> AnswerTraits {
        var octets: [UInt8] = []
        var lines: [FieldLine] = []
        for field in fields {
            let name = octets.count..<octets.count + field.name.utf8.count
            octets += field.name.utf8
            lines.append(FieldLine(name: name, value: octets.count..<octets.count + field.value.utf8.count))
            octets += field.value.utf8
        }
        return AnswerTraits(
            ResponseView(octets: octets.span, status: status, fields: lines.span)
        )
    }

    @Test(arguments: [101, 200, 201, 204, 206, 500, 503])
    func `an answer that names a service's time shows that a route took the request`(status: Int) {
        let traits = Self.traits(status, [("Server", "envoy"), ("X-Envoy-Upstream-Service-Time", "7")])
        #expect(traits.contains(.isOfService))
        #expect(traits.contains(.showsRoute))
    }

    @Test(arguments: [302, 304, 400, 401, 403, 404, 429])
    func `an answer that may be an authorizer's does not`(status: Int) {
        let traits = Self.traits(status, [("x-envoy-upstream-service-time", "7")])
        #expect(traits.contains(.isOfService))
        #expect(!traits.contains(.showsRoute))
    }

    @Test(arguments: [200, 404, 503])
    func `an answer without that time shows nothing, whatever else it has`(status: Int) {
        let traits = Self.traits(status, [("x-envoy-upstream-service-times", "7"), ("content-type", "text/plain")])
        #expect(!traits.contains(.isOfService))
        #expect(!traits.contains(.showsRoute))
    }

    @Test(arguments: [
        ("text/event-stream", true), ("Text/Event-Stream;charset=utf-8", true), ("text/event-streams", false),
        ("text/event", false),
    ])
    func `a stream of events is known by its type`(type: String, isOne: Bool) {
        #expect(Self.traits(200, [("Content-Type", type)]).contains(.isEventStream) == isOne)
    }
}
