// Wingmirror · Apache-2.0

/// The counters of a route that need no place in a ledger: each has a series of its own, and a family so few of them that
/// every route has room for all.
enum RouteCounter: Int, Sendable, CaseIterable {
    case websocketUpgrades
    case gRPCRequestMessages
    case gRPCResponseMessages
    case webSocketRequestText
    case webSocketRequestBinary
    case webSocketRequestPings
    case webSocketRequestPongs
    case webSocketResponseText
    case webSocketResponseBinary
    case webSocketResponsePings
    case webSocketResponsePongs
    case webSocketRequestBytes
    case webSocketResponseBytes

    /// The family.
    var limited: LimitedFamily {
        switch self {
        case .websocketUpgrades: .websocketUpgrades
        case .gRPCRequestMessages, .gRPCResponseMessages: .gRPCMessages
        case .webSocketRequestText, .webSocketRequestBinary, .webSocketRequestPings, .webSocketRequestPongs,
            .webSocketResponseText, .webSocketResponseBinary, .webSocketResponsePings, .webSocketResponsePongs:
            .webSocketMessages
        case .webSocketRequestBytes, .webSocketResponseBytes: .webSocketBytes
        }
    }

    /// The values of the family's labels beside those of the route.
    var labelValues: [String] {
        switch self {
        case .websocketUpgrades: []
        case .gRPCRequestMessages, .webSocketRequestBytes: ["request"]
        case .gRPCResponseMessages, .webSocketResponseBytes: ["response"]
        case .webSocketRequestText: ["request", "text"]
        case .webSocketRequestBinary: ["request", "binary"]
        case .webSocketRequestPings: ["request", "ping"]
        case .webSocketRequestPongs: ["request", "pong"]
        case .webSocketResponseText: ["response", "text"]
        case .webSocketResponseBinary: ["response", "binary"]
        case .webSocketResponsePings: ["response", "ping"]
        case .webSocketResponsePongs: ["response", "pong"]
        }
    }
}

/// The families of a route that count by a code, of whose values few occur.
///
/// Every route has room for two of them, the one that is well and `_OTHER`; the rest ask for it.
enum CodeFamily: Int, Sendable, CaseIterable {
    case gRPCResponses
    case webSocketCloses

    /// How many of the codes every route has room for.
    static let outcomeCount = 2

    /// The family.
    var limited: LimitedFamily {
        switch self {
        case .gRPCResponses: .gRPCResponses
        case .webSocketCloses: .webSocketCloses
        }
    }

    /// The label of the code.
    var labelName: String {
        switch self {
        case .gRPCResponses: "grpc_response_status"
        case .webSocketCloses: "close_code"
        }
    }

    /// The values of the label in their order; the first is the one that is well, the last `_OTHER`.
    var labelValues: [String] {
        switch self {
        case .gRPCResponses: GRPCStatusLabel.allCases.map(\.text)
        case .webSocketCloses: CloseCodeLabel.allCases.map(\.text)
        }
    }

    /// How many values there are.
    var count: Int {
        switch self {
        case .gRPCResponses: GRPCStatusLabel.allCases.count
        case .webSocketCloses: CloseCodeLabel.allCases.count
        }
    }

    /// Where the codes of the family begin among those of all.
    fileprivate var firstPosition: Int {
        switch self {
        case .gRPCResponses: 0
        case .webSocketCloses: CodeFamily.gRPCResponses.count
        }
    }

    /// All counters of the family.
    var counters: [CodeCounter] { (0..<count).map { CodeCounter(self, index: $0) } }
}

/// The counter of one code.
struct CodeCounter: Sendable, Hashable {
    let family: CodeFamily
    /// The place of the code in the family's label values.
    let index: Int

    init(_ family: CodeFamily, index: Int) {
        self.family = family
        self.index = index
    }

    /// The counter at a place among those of all codes; `nil` beyond them.
    init?(position: Int) {
        guard let family = CodeFamily.allCases.last(where: { $0.firstPosition <= position }) else { return nil }
        self.init(family, index: position - family.firstPosition)
        guard index < family.count else { return nil }
    }

    init(_ status: GRPCStatusLabel) {
        self.init(.gRPCResponses, index: status.index)
    }

    init(_ code: CloseCodeLabel) {
        self.init(.webSocketCloses, index: code.index)
    }

    /// The place among the counters of all codes, below 64.
    var position: Int { family.firstPosition + index }

    /// How many codes there are in all families.
    static let positionCount = CodeFamily.allCases.reduce(0) { $0 + $1.count }

    /// Whether every route has room for it.
    var isOutcome: Bool { index == 0 || index == family.count - 1 }

    /// What stands for it at the series limit.
    var other: CodeCounter { CodeCounter(family, index: family.count - 1) }
}

/// The histograms of what lasts, of which a route has one each.
enum StreamHistogram: Int, Sendable, CaseIterable {
    case gRPCFirstMessage
    case gRPCLastMessage
    case webSocketPing
    case gRPCLifetime
    case webSocketLifetime

    /// The family.
    var limited: LimitedFamily {
        switch self {
        case .gRPCFirstMessage: .gRPCFirstMessage
        case .gRPCLastMessage: .gRPCLastMessage
        case .webSocketPing: .webSocketPing
        case .gRPCLifetime: .gRPCLifetime
        case .webSocketLifetime: .webSocketLifetime
        }
    }

    /// Whether it has the buckets of waits, not those of lifetimes.
    var isWait: Bool {
        switch self {
        case .gRPCFirstMessage, .webSocketPing: true
        case .gRPCLastMessage, .gRPCLifetime, .webSocketLifetime: false
        }
    }
}
