// Wingmirror · Apache-2.0
// Safe methods: RFC 9110 §9.2.1.

import OctetText
internal import TrafficModel

/// Production's latest answers, so that like requests shortly after each other show how far production differs from itself.
struct NaturalRepeats: Sendable {
    private struct Entry: Sendable {
        let response: RecordedResponse
        let time: Int64
        let serial: UInt64
    }

    /// Request fields on which an answer may depend, beside those that its Vary names.
    private static let relevantFields = [
        "accept", "accept-encoding", "accept-language", "authorization", "cookie", "host", "if-modified-since",
        "if-none-match", "origin", "range",
    ]

    private var entries: [UInt64: Entry] = [:]
    private var order: [(identity: UInt64, serial: UInt64)] = []
    private var head = 0
    private var octets = 0
    private var serial: UInt64 = 0
    private let limits: VerdictLimits
    private let hash: KeyedHash

    init(limits: VerdictLimits, hash: KeyedHash) {
        self.limits = limits
        self.hash = hash
    }

    /// Remembers production's answer, and gives the one to a like request shortly before.
    mutating func answered(_ exchange: RecordedExchange, lane: MirrorLane) -> RecordedResponse? {
        guard let response = exchange.response, ["GET", "HEAD"].contains(exchange.request.method) else { return nil }
        guard let identity = identity(exchange.request, answeredBy: response, lane: lane) else { return nil }
        let earlier = entries[identity]
        remember(response, identity: identity, time: exchange.startTime)
        guard let earlier else { return nil }
        let distance = exchange.startTime.subtractingReportingOverflow(earlier.time)
        guard !distance.overflow, distance.partialValue.magnitude <= limits.repeatWindow.nanoseconds.magnitude else {
            return nil
        }
        return earlier.response
    }

    private mutating func remember(_ response: RecordedResponse, identity: UInt64, time: Int64) {
        let size = response.message.content.count
        guard size <= limits.repeatOctets, limits.repeats > 0 else { return }
        forget(identity)
        serial += 1
        entries[identity] = Entry(response: response, time: time, serial: serial)
        order.append((identity, serial))
        octets += size
        while entries.count > limits.repeats || octets > limits.repeatOctets {
            let oldest = order[head]
            head += 1
            if entries[oldest.identity]?.serial == oldest.serial { forget(oldest.identity) }
        }
        guard head > limits.repeats || order.count > 4 * limits.repeats else { return }
        order = order[head...].filter { entries[$0.identity]?.serial == $0.serial }
        head = 0
    }

    private mutating func forget(_ identity: UInt64) {
        guard let entry = entries.removeValue(forKey: identity) else { return }
        octets -= entry.response.message.content.count
    }

    /// What like requests have in common; `nil` where the answer depends on more than the request.
    private func identity(
        _ request: RecordedRequest,
        answeredBy response: RecordedResponse,
        lane: MirrorLane
    ) -> UInt64? {
        var names = Set(Self.relevantFields)
        for value in response.message.values(of: "vary") {
            for name in String(decoding: value, as: UTF8.self).split(whereSeparator: { ", \t".contains($0) }) {
                // Something that is not in the request (RFC 9110 §12.5.5).
                guard name != "*" else { return nil }
                names.insert(name.lowercased())
            }
        }
        var hash = hash
        for part in [lane.policy, lane.target, request.method] {
            hash.combine(part.utf8)
            hash.combine(0 as UInt8)
        }
        hash.combine(request.target)
        for name in names.sorted() {
            // Answers that depend on other fields are not alike either.
            hash.combine(0 as UInt8)
            hash.combine(name.utf8)
            for value in request.message.values(of: name) {
                hash.combine(1 as UInt8)
                hash.combine(value)
            }
        }
        return hash.value
    }
}
