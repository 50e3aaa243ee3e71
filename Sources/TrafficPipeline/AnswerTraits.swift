// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import TrafficModel

/// What the head of a final response says beside its status, as far as metrics need it.
struct AnswerTraits: OptionSet, BitwiseCopyable, Sendable {
    let rawValue: UInt8

    /// Envoy passed the response on from a service: it has `x-envoy-upstream-service-time`.
    static let isOfService = AnswerTraits(rawValue: 1 << 0)
    /// The content is `text/event-stream`, which lasts as long as somebody listens.
    static let isEventStream = AnswerTraits(rawValue: 1 << 1)
    /// The gateway had named a service's time before, so that a response without it is the gateway's own.
    static let isOfNamingGateway = AnswerTraits(rawValue: 1 << 2)
    /// A service answered, which shows that a route took the request.
    ///
    /// Not so with 3xx and 4xx: external authorization comes before the route, Envoy passes on how an authorizer refuses, and
    /// names the time that it took as it does a service's (seen with 1.40). Where the authorizer fails, the answer is
    /// Envoy's own and names none.
    static let showsRoute = AnswerTraits(rawValue: 1 << 3)

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Looks through the field lines of a response; a name is compared only where its length fits.
    init(_ response: borrowing ResponseView) {
        var traits: AnswerTraits = []
        for index in response.fields.indices {
            let field = response.fields[index]
            switch field.name.count {
            case Self.serviceTime.utf8CodeUnitCount:
                if response.octets.equalsIgnoringCase(field.name, Self.serviceTime) { traits.insert(.isOfService) }
            case Self.contentType.utf8CodeUnitCount:
                guard field.value.count >= Self.eventStream.utf8CodeUnitCount,
                    response.octets.equalsIgnoringCase(field.name, Self.contentType)
                else { continue }
                // A semicolon and parameters may follow, and space before it.
                let end = field.value.lowerBound + Self.eventStream.utf8CodeUnitCount
                let follows = end < field.value.upperBound ? response.octets[end] : 0x3B
                if follows == 0x3B || follows == 0x20 || follows == 0x09,
                    response.octets.equalsIgnoringCase(field.value.lowerBound..<end, Self.eventStream)
                {
                    traits.insert(.isEventStream)
                }
            default: break
            }
        }
        let mayBeAuthorizers = 300..<500 ~= response.status
        if traits.contains(.isOfService), !mayBeAuthorizers { traits.insert(.showsRoute) }
        self = traits
    }

    private static let serviceTime: StaticString = "x-envoy-upstream-service-time"
    private static let contentType: StaticString = "content-type"
    private static let eventStream: StaticString = "text/event-stream"
}
