// Wingmirror · Apache-2.0

internal import PacketDecoding

/// What all TLS connections of a pipeline share.
final class TLSContext {
    let limits: TLSLimits
    /// Where secrets come from; `nil` while decryption is off.
    let store: KeyStore?
    let sessions: TLSSessions
    var statistics = TLSStatistics()
    /// The time of the latest event.
    var now = PacketTime(nanoseconds: 0)
    /// Whether another thread was at the store when keys were looked for, so that they are again after the batch.
    var foundStoreBusy = false
    /// What stands for content that nobody looks at; as long as the plaintext of a record can be (RFC 8446 §5.1).
    private var blank = [UInt8](repeating: 0, count: blankOctets)
    /// Buffers of records, to be used again.
    private var buffers: [[UInt8]] = []
    private var trialsLeft: Int
    private var keyTrialsLeft: Int
    private var trialsFrom: Int64 = .min

    init(store: KeyStore?, limits: TLSLimits, sessions: TLSSessions) {
        self.store = store
        self.limits = limits
        self.sessions = sessions
        trialsLeft = limits.trialsPerSecond
        keyTrialsLeft = limits.trialsPerSecond / 5
    }

    /// Looks for the secrets of a connection; notes where another thread is at the store.
    func secrets(of random: ClientRandom, waits: Bool = false) -> KeyLookup {
        guard let store else { return .absent }
        let lookup = store.secrets(of: random, waits: waits)
        if case .busy = lookup { foundStoreBusy = true }
        return lookup
    }

    /// Keys that may be those of a connection whose client's hello was not captured; notes where another thread is at the store.
    func candidates(from first: UInt64 = 0) -> KeyCandidates? {
        guard let store else { return nil }
        let found = store.candidates(limit: limits.triedConnections, from: first)
        if found == nil { foundStoreBusy = true }
        return found
    }

    /// Octets that stand for content.
    static var blankOctets: Int { 1 << 14 }

    /// Lends octets that stand for content which nobody looks at, with those of it that are known.
    func takeBlank(with known: [PeekedOctets]) -> [UInt8] {
        var octets = blank
        guard !known.isEmpty else { return octets }
        // It is written in place while nobody else has it.
        blank = []
        for part in known { octets.replaceSubrange(part.place..<part.place + part.octets.count, with: part.octets) }
        return octets
    }

    /// Takes them back, with zeros again where those were.
    func giveBackBlank(_ octets: consuming [UInt8], with known: [PeekedOctets]) {
        guard !known.isEmpty else { return }
        for part in known {
            for place in part.place..<part.place + part.octets.count { octets[place] = 0 }
        }
        blank = octets
    }

    func takeBuffer() -> [UInt8] {
        buffers.popLast() ?? []
    }

    func giveBack(_ buffer: consuming [UInt8]) {
        guard buffers.count < 64, buffer.capacity > 0 else { return }
        buffer.removeAll(keepingCapacity: true)
        buffers.append(buffer)
    }

    /// Whether one more attempt may be made to find a record behind a hole.
    func mayTry() -> Bool {
        renewTrials()
        return take(from: &trialsLeft)
    }

    /// Whether one more key may be tried for a connection that nothing names: of a fifth of the attempts beside the others, so
    /// that such connections, which anybody can make, take none from them.
    func mayTryKey() -> Bool {
        renewTrials()
        return take(from: &keyTrialsLeft)
    }

    /// Whether keys may be tried still for connections that nothing names.
    var mayTryMoreKeys: Bool {
        renewTrials()
        return keyTrialsLeft > 0
    }

    private func renewTrials() {
        let second = now.nanoseconds / 1_000_000_000
        guard second != trialsFrom else { return }
        trialsFrom = second
        trialsLeft = limits.trialsPerSecond
        keyTrialsLeft = limits.trialsPerSecond / 5
    }

    private func take(from left: inout Int) -> Bool {
        guard left > 0 else {
            statistics.refusedTrials += 1
            return false
        }
        left -= 1
        statistics.trials += 1
        return true
    }
}
