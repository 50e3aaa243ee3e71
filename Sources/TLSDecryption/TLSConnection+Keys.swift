// Wingmirror · Apache-2.0
// Keys: waiting for them, and what waits meanwhile.

internal import PacketDecoding
internal import TCPReassembly

extension TLSConnection {
    /// Something encrypted came: looks for the keys.
    mutating func findKeys<Sink: StreamSink & ~Copyable>(
        at time: PacketTime,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard let store = context.store, !store.isOff else { return becomeUnreadable(.off, &sink) }
        guard clientHello != nil || mayTryKeys else { return becomeUnreadable(.midstream, &sink) }
        if let serverHello, CipherSuite(number: serverHello.suite) == nil || serverHello.version < 0x0301 {
            return becomeUnreadable(.unsupportedCipher, &sink)
        }
        if let clientHello {
            switch context.secrets(of: clientHello.random) {
            case .found(let secrets) where secrets.isComplete:
                return openWith(secrets, clientHello, context, &sink)
            case .found, .absent:
                if context.limits.patienceNanoseconds == 0, giveUpWaiting(context, &sink) { return }
            case .busy:
                // Also without patience, until after the batch.
                break
            }
        }
        state = .waiting(since: time)
        context.statistics.waitingConnections += 1
    }

    /// The store has changed: looks again for the keys of a connection that waits, and goes through what is held.
    /// - Returns: Whether the waiting is over.
    mutating func lookAgain<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) -> Bool {
        if clientHello == nil { tryKeysOnHeld(context, &sink) }
        guard case .waiting(let since) = state, let clientHello,
            case .found(let secrets) = context.secrets(of: clientHello.random), secrets.isComplete
        else { return !isWaiting }
        let delay = context.now.nanoseconds(since: since)
        context.statistics.longestKeyDelay = max(context.statistics.longestKeyDelay, delay)
        context.statistics.waitingConnections -= 1
        openWith(secrets, clientHello, context, &sink)
        replay(context, &sink)
        return true
    }

    /// Nothing more is waited for: does with what is there.
    /// - Returns: Whether that was known; not while another thread is at the store, for which only `waitsForStore` waits.
    mutating func giveUpWaiting<Sink: StreamSink & ~Copyable>(
        _ context: TLSContext,
        _ sink: inout Sink,
        waitsForStore: Bool = false
    ) -> Bool {
        var usable: ConnectionSecrets?
        if let clientHello {
            switch context.secrets(of: clientHello.random, waits: waitsForStore) {
            case .found(let secrets): usable = secrets.isUsable ? secrets : nil
            case .absent: break
            case .busy: return false
            }
        }
        if isWaiting { context.statistics.waitingConnections -= 1 }
        if let clientHello, let usable {
            openWith(usable, clientHello, context, &sink)
        } else {
            becomeUnreadable(clientHello == nil ? .midstream : .noKey, &sink)
        }
        replay(context, &sink)
        return true
    }

    /// Goes through what is held, as if it came now.
    mutating func replay<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        let (items, isWhole) = held.takeAll(context)
        if !isWhole { becomeUnreadable(.lost, &sink) }
        for (item, direction) in items {
            if case .unreadable = state {
                if case .ended(let end, let time) = item {
                    sink.streamEnded(direction, end, at: time, slot: handle)
                }
                continue
            }
            take(item, direction, context, &sink)
        }
    }

    mutating func openWith<Sink: StreamSink & ~Copyable>(
        _ secrets: ConnectionSecrets,
        _ clientHello: ClientHello,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        state = .open
        context.store?.claim(clientHello.random, isKept: context.limits.patienceNanoseconds == 0)
        let isTLS13 = serverHello.map { $0.version >= 0x0304 } ?? (secrets.master == nil)
        if isTLS13 {
            if context.sessions[session].version == nil { context.sessions[session].version = 0x0304 }
            setSecret(secrets.clientTraffic, clientDirection)
            setSecret(secrets.serverTraffic, clientDirection.reversed)
            if let early = secrets.clientEarlyTraffic, let suite = suites(fitting: early).first {
                self[clientDirection].early = KeySchedule.protection(of: early, suite: suite)
            }
            if secrets.clientTraffic == nil, secrets.serverTraffic == nil { becomeUnreadable(.noKey, &sink) }
            // Nothing is searched for behind a hole in a direction without keys.
            for direction in StreamDirection.allCases where isKeyless(direction) {
                self[direction].search = RecordSearch()
            }
            return
        }
        // The key block needs the server's random, which no key log has.
        guard let serverHello else { return becomeUnreadable(.midstream, &sink) }
        guard let master = secrets.master, let suite = CipherSuite(number: serverHello.suite) else {
            return becomeUnreadable(.noKey, &sink)
        }
        let (client, server) = KeySchedule.protections(
            master: master,
            clientRandom: clientHello.randomOctets,
            serverRandom: serverHello.randomOctets,
            suite: suite,
            version: serverHello.version,
            encryptsThenMACs: serverHello.encryptsThenMACs
        )
        self[clientDirection].protections = [client]
        self[clientDirection.reversed].protections = [server]
    }

    mutating func setSecret(_ secret: SecretOctets?, _ direction: StreamDirection) {
        guard let secret else { return }
        self[direction].secret = secret
        self[direction].protections = suites(fitting: secret).map { KeySchedule.protection(of: secret, suite: $0) }
    }

    /// The suite of the server's hello; where that was not captured, those whose hash is as long as the secret.
    func suites(fitting secret: SecretOctets) -> [CipherSuite] {
        if let serverHello { return CipherSuite(number: serverHello.suite).map { [$0] } ?? [] }
        let numbers: [UInt16] = secret.count == 48 ? [0x1302] : [0x1301, 0x1303]
        return numbers.compactMap(CipherSuite.init(number:))
    }

    mutating func becomeUnreadable<Sink: StreamSink & ~Copyable>(_ reason: EncryptionReason, _ sink: inout Sink) {
        if case .unreadable = state { return }
        // What was read before is not unread.
        var unread = octets
        if case .open = state, self[.fromOriginator].hasOpened || self[.fromResponder].hasOpened {
            unread = self[.fromOriginator].search.buffer.count + self[.fromResponder].search.buffer.count
        }
        state = .unreadable
        let ends = orderedEnds
        self[.fromOriginator].becomeUnreadable()
        self[.fromResponder].becomeUnreadable()
        sink.connectionUnreadable(reason, octets: unread, slot: handle)
        for (direction, end, time) in ends { sink.streamEnded(direction, end, at: time, slot: handle) }
    }

    /// The ends of directions that wait behind other items.
    private var orderedEnds: [(StreamDirection, StreamEnd, PacketTime)] {
        [StreamDirection.fromOriginator, .fromResponder].flatMap { direction in
            self[direction].ordered.items.compactMap { item in
                if case .ended(let end, let time) = item { (direction, end, time) } else { nil }
            }
        }
    }
}
