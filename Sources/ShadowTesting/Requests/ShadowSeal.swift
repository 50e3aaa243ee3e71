// Wingmirror · Apache-2.0

import OctetText
internal import TrafficModel

/// The key by which agents know copies of their own from requests on which a client has put the marker.
///
/// Anybody can send the field `wingmirror-shadow`. What is taken for shadow traffic is left out of the traffic families and
/// pauses mirroring, so the field alone must not be enough: a copy's marker ends in a keyed code (SipHash-2-4), and only a
/// code that this key makes verifies.
///
/// The code covers the method, the trace id that the copy was given, and the minute of the original. It leaves out target
/// and authority on purpose: gateways and sidecars rewrite both, and a copy that comes back through one that did is the
/// very loop that the marker is for. The trace id is new for each copy and passes through proxies unchanged, and a client
/// of production never sees one. Whoever receives copies could send their markers again, with the same method and trace
/// and for a few minutes; that is the owner of a target, whom the policies trust with the requests themselves.
///
/// All nodes with the same `samplingSecret` have the same key. Without a secret each process makes a key of its own, and
/// knows its own copies only.
public struct ShadowSeal: Sendable {
    /// The hash of nothing, under the key.
    private let empty: KeyedHash

    /// Makes the key that all agents with a secret have.
    public init(secret: String) {
        empty = KeyedHash(secret: "shadow marker " + secret)
    }

    /// Makes a key of the numbers of a generator.
    public init(using generator: inout some RandomNumberGenerator) {
        empty = KeyedHash(key0: generator.next(), key1: generator.next())
    }

    /// How many minutes a copy may be older or younger than its original: time in queues, and clocks that differ.
    private static let toleratedMinutes: Int64 = 10
    private static let nanosecondsPerMinute: Int64 = 60_000_000_000

    // MARK: - Making

    /// The parameters that complete the marker of a copy: `;minute=…;code=…`.
    ///
    /// - Parameters:
    ///   - method: The method of the copy.
    ///   - trace: The trace that the copy was given.
    ///   - time: When the original began, in nanoseconds since the Unix epoch.
    /// - Returns: What to put behind the marker.
    func parameters(method: String, trace: TraceContext, time: Int64) -> String {
        let minute = max(0, time / Self.nanosecondsPerMinute)
        var hash = empty
        hash.combine(method.utf8)
        let code = Self.code(hash, trace, minute)
        return ";minute=\(minute);code=\(HexadecimalText.digits(of: code))"
    }

    /// Adds what follows the method; the method is of any length, and the words behind it are of a fixed one.
    private static func code(_ method: KeyedHash, _ trace: TraceContext, _ minute: Int64) -> UInt64 {
        var hash = method
        hash.combine(word: trace.traceHigh)
        hash.combine(word: trace.traceLow)
        hash.combine(word: UInt64(bitPattern: minute))
        return hash.value
    }

    // MARK: - Verifying

    /// Whether a request is a copy that an agent with this key sent.
    ///
    /// Asked on the packet path of requests that bear the field, which any client can make many of: nothing is allocated,
    /// and a marker without a code costs no hash.
    /// - Parameters:
    ///   - request: The head, borrowed for the call.
    ///   - time: When it was captured, in nanoseconds since the Unix epoch.
    /// - Returns: Whether one of its markers bears a code of this key.
    func verifies(_ request: borrowing RequestView, at time: Int64) -> Bool {
        let octets = request.octets
        for index in request.fields.indices {
            let line = request.fields[index]
            guard octets.matches(line.name, "wingmirror-shadow"),
                let stamp = ShadowMarker.stamp(octets, line.value),
                // Both are below 10¹² minutes, so the difference does not overflow.
                (time / Self.nanosecondsPerMinute - stamp.minute).magnitude <= Self.toleratedMinutes,
                let trace = TraceContext(of: request, allowsB3: false)
            else { continue }
            var hash = empty
            hash.combine(octets.extracting(request.method))
            if Self.code(hash, trace, stamp.minute) == stamp.code { return true }
        }
        return false
    }
}
