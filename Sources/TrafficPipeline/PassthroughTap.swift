// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import PacketDecoding
public import RouteAttribution
internal import TLSDecryption

/// What came on connections whose TLS the gateway passes through, of one rule.
public struct PassthroughFigures: Sendable, Hashable {
    /// The Gateway whose server takes the connections, `namespace/name`.
    public let gateway: String
    /// The VirtualService or TLSRoute.
    public let object: ObjectIdentity
    /// The index in `spec.tls`, or `spec.rules` of a TLSRoute.
    public let rule: Int
    /// Connections so far.
    public internal(set) var connections = 0
    /// Octets of both directions so far.
    public internal(set) var octets = 0

    /// Whether the figures are of one rule.
    func isOfSameRule(as other: PassthroughFigures) -> Bool {
        gateway == other.gateway && object == other.object && rule == other.rule
    }

    /// Sums figures of one rule.
    mutating func add(_ other: PassthroughFigures) {
        connections += other.connections
        octets += other.octets
    }
}

/// Counts connections that stay encrypted by the rule for TLS that takes them.
///
/// The rule is looked up once for a name and port, and its answer kept until the routes change.
struct PassthroughTap {
    private struct Question: Hashable {
        let workload: Int
        let port: UInt16
        let serverName: [UInt8]
    }

    /// How many names are remembered, and rules counted: names are the client's input.
    private static let limit = 4_096

    private(set) var figures: [PassthroughFigures] = []
    private var answers: [Question: Int] = [:]
    /// What each session is counted under, by its number; -1 for none.
    private var counted: [Int32: Int] = [:]

    /// Other routes hold from here on.
    mutating func routesChanged() {
        answers.removeAll()
    }

    /// A connection will not be read; it is counted if the name that the client asked for is known.
    mutating func connectionIsOpaque(
        _ connection: ConnectionFacts,
        _ session: TLSSession,
        _ generation: RouteGeneration
    ) {
        guard session.isServerNameKnown else { return }
        let question = Question(
            workload: generation.places.workload(of: connection.server, in: generation.tables),
            port: connection.server.port,
            serverName: session.serverName
        )
        let place: Int
        if let known = answers[question] {
            place = known
        } else {
            place = look(up: question, generation.tables.tables[question.workload])
            if answers.count >= Self.limit { answers.removeAll() }
            answers[question] = place
        }
        guard place >= 0 else { return }
        figures[place].connections += 1
        counted[connection.tlsSession] = place
    }

    /// Octets came of a connection that is not read.
    mutating func octetsArrived(_ count: Int, on connection: ConnectionFacts) {
        if let place = counted[connection.tlsSession] { figures[place].octets += count }
    }

    /// A connection is over.
    mutating func connectionClosed(_ connection: ConnectionFacts) {
        counted[connection.tlsSession] = nil
    }

    private mutating func look(up question: Question, _ table: RouteTable) -> Int {
        let name = String(decoding: question.serverName, as: UTF8.self)
        guard let passed = table.passedThrough(podPort: question.port, serverName: name) else { return -1 }
        let new = PassthroughFigures(gateway: passed.gateway, object: passed.object, rule: passed.rule)
        if let known = figures.firstIndex(where: { $0.isOfSameRule(as: new) }) { return known }
        guard figures.count < Self.limit else { return -1 }
        figures.append(new)
        return figures.count - 1
    }
}
