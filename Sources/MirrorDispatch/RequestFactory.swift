// Wingmirror · Apache-2.0

internal import Redaction
import ShadowTesting
import Synchronization
import TrafficModel

/// Makes the requests to send; keeps the builder of each policy and target.
final class RequestFactory: Sendable {
    private struct Place: Hashable {
        let policy: String
        let target: String
    }

    private struct Entry {
        let policy: MirrorPolicy
        let target: MirrorTarget
        let builder: ShadowRequestBuilder
    }

    private let node: String
    private let key: RedactionKey
    private let seal: @Sendable () -> ShadowSeal?
    private let entries = Mutex<[Place: Entry]>([:])

    /// Makes a factory.
    ///
    /// - Parameters:
    ///   - node: The name of this node, for the marker.
    ///   - key: What redacted values are hashed with.
    ///   - seal: What agents know copies by, at the moment.
    init(node: String, key: RedactionKey, seal: @escaping @Sendable () -> ShadowSeal?) {
        self.node = node
        self.key = key
        self.seal = seal
    }

    /// The request that a copy goes out as.
    ///
    /// - Parameters:
    ///   - copy: The copy.
    ///   - target: Where it goes.
    ///   - sending: The number of the sending, from 0.
    /// - Returns: The request.
    /// - Throws: Why the exchange turns out not to be eligible.
    func request(for copy: MirrorCopy, target: MirrorTarget, sending: Int) throws(FilterReason) -> ShadowRequest {
        let builder = builder(copy.ticket.policy, target)
        return try builder.build(copy.ticket.exchange, copy: sending, seal: seal())
    }

    private func builder(_ policy: MirrorPolicy, _ target: MirrorTarget) -> ShadowRequestBuilder {
        let place = Place(policy: policy.name, target: target.name)
        if let entry = entries.withLock({ $0[place] }), entry.policy == policy, entry.target == target {
            return entry.builder
        }
        let builder = ShadowRequestBuilder(policy: policy, target: target, node: node, key: key)
        entries.withLock { $0[place] = Entry(policy: policy, target: target, builder: builder) }
        return builder
    }
}

extension ShadowRequest {
    /// How many octets the request has as HTTP/1.1: request line, fields and content.
    var octets: Int {
        let line = method.utf8.count + target.utf8.count + " HTTP/1.1\r\n".utf8.count + 1
        return fields.reduce(line + 2 + content.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }
}
