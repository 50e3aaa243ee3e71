// Wingmirror · Apache-2.0

internal import HTTPReconstruction
internal import RouteAttribution
internal import TLSDecryption
internal import TrafficModel

/// Writes the records of all exchanges, and hands them over in batches.
struct RecordTap: ~Copyable {
    private var encoder: RecordEncoder
    private let output: RecordOutput

    /// Records are handed over when there are so many octets of them, or at the end of a batch of packets.
    private static let batchOctets = 64 << 10

    init(_ output: @escaping RecordOutput, options: RecordOptions) {
        self.output = output
        encoder = RecordEncoder(options: options)
    }

    /// What is kept of each exchange.
    var retention: Retention { encoder.retention }

    /// Writes the record of an exchange, on whose request `generation` decided.
    mutating func exchangeCompleted(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession?,
        _ routed: RoutedRequest,
        _ generation: RouteGeneration
    ) {
        encoder.append(facts, exchange, session)
        if Self.isRouteUnsaid(routed, exchange) {
            encoder.endWithoutRoute()
        } else {
            encoder.end(routed, in: generation.tables)
        }
        recordEnded()
    }

    /// Writes the record of a response whose request was not seen.
    mutating func responseWithoutRequestCompleted(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession?
    ) {
        encoder.append(facts, exchange, session)
        encoder.endWithoutRoute()
        recordEnded()
    }

    private mutating func recordEnded() {
        if encoder.pendingOctets >= Self.batchOctets { flush() }
    }

    /// Whether a record gives no route: the target is known, and a field that a rule asks for, or the server's name, is not.
    ///
    /// As for every member that is not known, the value is `null` then, and `unknown_field_block` or `unknown_server_name`
    /// says why. Where not even the target is known, the outcome is `unknown`.
    private static func isRouteUnsaid(_ routed: RoutedRequest, _ exchange: borrowing Exchange) -> Bool {
        guard routed.isUnknown, let target = exchange.retainedRequest?.target else { return false }
        return !target.isEmpty
    }

    /// Hands over the records written so far.
    mutating func batchEnded() {
        flush()
    }

    private mutating func flush() {
        guard encoder.pendingOctets > 0 else { return }
        encoder.handOver(to: output)
    }
}

/// Hands over exchanges with their octets.
struct RecordingTap {
    private let output: ExchangeOutput

    init(_ output: ExchangeOutput) {
        self.output = output
    }

    /// What is kept of each exchange.
    var retention: Retention { Retention(heads: .whole, contentOctets: output.contentOctets) }

    func exchangeCompleted(
        _ facts: ExchangeFacts,
        _ exchange: borrowing Exchange,
        _ session: TLSSession?,
        _ routed: RoutedRequest,
        _ generation: RouteGeneration
    ) {
        guard let recorded = RecordedExchange(facts, exchange, session, route: routed.name(in: generation.tables))
        else {
            return output.leaveOut(exchange.retainedRequest == nil ? .notKept : .unknownHead)
        }
        output.take(recorded)
    }

    /// A response is over whose request was not seen.
    func responseWithoutRequestCompleted() { output.leaveOut(.noRequest) }
}
