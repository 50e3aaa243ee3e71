// Wingmirror · Apache-2.0
// TLS from the side: RFC 8446, RFC 5246.

internal import PacketDecoding
internal import TCPReassembly

/// A connection that carries TLS: reads its hellos, finds its keys, opens its records, and gives their plaintext on as the
/// streams of the connection.
///
/// ## How TLS 1.3 is read without following its handshake
///
/// The key log has the secrets of application data, and all that precedes it in a direction is protected with others.
/// So each encrypted record is tried with number 0 of the application keys until one is authentic; from then on every record
/// must be, in turn (reference: http2-grpc-tls.md 9.4). No handshake secret is kept, and a lost flight does no harm.
///
/// ## Behind a hole
///
/// Lengths are in clear. A hole inside a record costs that record, whose length says how much plaintext it was. Behind any
/// other hole a record is searched that is authentic under one of the numbers that may come next: the tag proves where it
/// begins and how many records were lost, and so how many octets of plaintext (9.5).
final class TLSConnection {
    /// What can be done with records.
    ///
    /// Next of `handshake`: `waiting`, `open`, `unreadable`; of `waiting`: `open`, `unreadable`; of `open`: `unreadable`.
    enum State {
        /// Nothing encrypted came yet.
        case handshake
        /// The keys are not there yet; since when.
        case waiting(since: PacketTime)
        case open
        case unreadable
    }

    /// How the next stage calls the connection.
    let handle: Int
    /// The number of what is known of it.
    let session: Int32
    private(set) var state = State.handshake
    /// Which direction the client's hello came in.
    private var clientDirection = StreamDirection.fromOriginator
    private var clientHello: ClientHello?
    private var serverHello: ServerHello?
    private var fromOriginator = TLSDirection()
    private var fromResponder = TLSDirection()
    /// Octets of ciphertext so far.
    private var octets = 0
    var held = HeldItems()
    /// Whether a whole record was seen, which proves that this is TLS.
    private(set) var isProven = false
    /// What came instead of a record, where the connection is none of TLS, and where it stands.
    private(set) var refused: (octets: [UInt8], position: StreamPosition)?
    /// How TCP's connection ended, where that had to wait.
    var closing: (end: ConnectionEnd, time: PacketTime)?
    /// Whether it is in the list of those that wait.
    var isListed = false

    init(handle: Int, session: Int32, offset: Int64, direction: StreamDirection) {
        self.handle = handle
        self.session = session
        self[direction].plaintextOffset = offset
    }

    private subscript(direction: StreamDirection) -> TLSDirection {
        get { direction == .fromOriginator ? fromOriginator : fromResponder }
        _modify {
            if direction == .fromOriginator { yield &fromOriginator } else { yield &fromResponder }
        }
    }

    var isWaiting: Bool { if case .waiting = state { true } else { false } }

    // MARK: - Events

    /// Takes in the next octets of a direction.
    /// - Returns: `false` where they show that the connection is no TLS, of which nothing but them came.
    func octetsArrived<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) -> Bool {
        if case .unreadable = state {
            sink.octetsArrived(octets, at: position, slot: handle)
            return true
        }
        self.octets += octets.count
        read(octets, at: position, context, &sink)
        return refused == nil
    }

    private func read<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        var index = 0
        while let (item, next) = self[position.direction].next(octets, from: index, at: position, context) {
            index = next
            if !isProven {
                if case .unframed(let octets, let position) = item {
                    refused = (octets, position)
                    return
                }
                isProven = true
            }
            take(item, position.direction, context, &sink)
            if case .unreadable = state { return }
        }
    }

    /// Takes in that octets of a direction will not come.
    func octetsMissing<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        reason: MissingReason,
        at position: StreamPosition,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .unreadable = state {
            return sink.octetsMissing(count, reason: reason, at: position, slot: handle)
        }
        isProven = true
        for item in self[position.direction].missing(count, reason, at: position) {
            take(item, position.direction, context, &sink)
        }
    }

    /// A direction ended.
    func streamEnded<Sink: StreamSink & ~Copyable>(
        _ direction: StreamDirection,
        _ end: StreamEnd,
        at time: PacketTime,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        take(.ended(end, time), direction, context, &sink)
    }

    /// The connection is over and nothing waits: nothing more comes.
    func closed<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        switch state {
        case .handshake: becomeUnreadable(.handshake, &sink)
        case .waiting, .open, .unreadable: break
        }
    }

    // MARK: - Items

    private func take<Sink: StreamSink & ~Copyable>(
        _ item: TLSItem,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .waiting = state { return held.append(item, direction, context) }
        switch item {
        case .record(let record, let place):
            recordArrived(record, place, direction, context, &sink)
        case .damagedRecord(let header, let came, let reason, let place):
            damagedRecordArrived(header, came, reason, place, direction, context, &sink)
        // What was held from before a search ended belongs to records again behind it.
        case .hole(let count, let reason, let position) where !self[direction].isUnframed:
            octetsMissing(count, reason: reason, at: position, context, &sink)
        case .unframed(let octets, let position) where !self[direction].isUnframed:
            read(octets.span, at: position, context, &sink)
        case .hole(let count, let reason, _): holeArrived(count, reason, direction, context)
        case .unframed(let octets, let position):
            unframedArrived(octets, position, direction, context, &sink)
        case .ended(let end, let time):
            guard !self[direction].isEnded else { return }
            self[direction].isEnded = true
            sink.streamEnded(direction, end, at: time, slot: handle)
        }
    }

    private func recordArrived<Sink: StreamSink & ~Copyable>(
        _ record: [UInt8],
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard let header = RecordHeader(record.span, at: 0) else { return }
        guard header.type == ContentType.applicationData || self[direction].isEncrypted else {
            clearRecordArrived(header, record, direction, context)
            return context.giveBack(record)
        }
        if case .handshake = state { findKeys(at: place.firstTime, context, &sink) }
        switch state {
        case .handshake, .unreadable: break
        case .waiting: held.append(.record(record, place), direction, context)
        case .open:
            open(header, record, place, direction, context, &sink)
            context.giveBack(record)
        }
    }

    /// A record with known bounds cannot be opened: its plaintext is a hole of known length.
    private func damagedRecordArrived<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ came: [UInt8],
        _ reason: MissingReason,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard header.type == ContentType.applicationData || self[direction].isEncrypted else {
            if header.type == ContentType.handshake {
                handshakeArrived(came.span.extracting(min(RecordHeader.octetCount, came.count)...), direction, context)
                finishHello(direction, context)
            }
            if header.type == ContentType.changeCipherSpec { changeCipherSpecArrived(direction) }
            return
        }
        if case .handshake = state { findKeys(at: place.firstTime, context, &sink) }
        switch state {
        case .handshake, .unreadable: return
        case .waiting: return held.append(.damagedRecord(header, [], reason, place), direction, context)
        case .open: break
        }
        loseRecord(header, reason, place, direction, &sink)
    }

    // MARK: - The handshake

    private func clearRecordArrived(
        _ header: RecordHeader,
        _ record: [UInt8],
        _ direction: StreamDirection,
        _ context: TLSContext
    ) {
        switch header.type {
        case ContentType.changeCipherSpec: changeCipherSpecArrived(direction)
        case ContentType.handshake:
            handshakeArrived(record.span.extracting(RecordHeader.octetCount...), direction, context)
        case ContentType.alert where header.length == 2:
            context.statistics.alerts[record[RecordHeader.octetCount + 1], default: 0] += 1
        default: break
        }
    }

    /// Up to TLS 1.2 everything behind it is encrypted; in TLS 1.3 it means nothing (RFC 8446 §5).
    private func changeCipherSpecArrived(_ direction: StreamDirection) {
        if let serverHello, serverHello.version < 0x0304 { self[direction].isEncrypted = true }
    }

    private func handshakeArrived(_ octets: Span<UInt8>, _ direction: StreamDirection, _ context: TLSContext) {
        guard !self[direction].isHelloRead,
            self[direction].handshake.count + octets.count <= context.limits.handshakeOctets
        else { return }
        self[direction].handshake.append(contentsOf: octets)
        readHello(direction, context)
    }

    private func readHello(_ direction: StreamDirection, _ context: TLSContext) {
        while self[direction].handshake.count >= 4 {
            let message = self[direction].handshake
            let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
            // A random tells enough to find keys, so a hello is read as it grows.
            guard message.count >= 4 + length else {
                if message[0] == 1 { clientHelloArrived(message.span, direction, context) }
                return
            }
            switch message[0] {
            case 1:
                clientHelloArrived(message.span.extracting(..<(4 + length)), direction, context)
                // Another may follow, when the server asks for it.
                self[direction].handshake.removeFirst(4 + length)
            case 2:
                let isLast = serverHelloArrived(message.span.extracting(..<(4 + length)), direction, context)
                self[direction].handshake.removeFirst(4 + length)
                if isLast { return finishHello(direction, context) }
            default:
                return finishHello(direction, context)
            }
        }
    }

    private func finishHello(_ direction: StreamDirection, _ context: TLSContext) {
        if !self[direction].handshake.isEmpty, self[direction].handshake[0] == 2 {
            let message = self[direction].handshake
            _ = serverHelloArrived(message.span, direction, context)
        }
        self[direction].handshake = []
        self[direction].isHelloRead = true
    }

    private func clientHelloArrived(_ message: Span<UInt8>, _ direction: StreamDirection, _ context: TLSContext) {
        guard let hello = ClientHello(message) else { return }
        clientDirection = direction
        clientHello = hello
        context.sessions[session].serverName = hello.serverName
        context.sessions[session].offeredProtocols = hello.protocols
    }

    /// - Returns: Whether it is the hello that counts, and no request for another of the client.
    private func serverHelloArrived(
        _ message: Span<UInt8>,
        _ direction: StreamDirection,
        _ context: TLSContext
    ) -> Bool {
        guard let hello = ServerHello(message) else { return true }
        clientDirection = direction.reversed
        serverHello = hello
        context.sessions[session].version = hello.version
        context.sessions[session].cipherSuite = hello.suite
        context.sessions[session].chosenProtocol = hello.chosenProtocol
        return !hello.isRetryRequest
    }

    // MARK: - Keys

    /// Something encrypted came: looks for the keys.
    private func findKeys<Sink: StreamSink & ~Copyable>(
        at time: PacketTime,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        guard let store = context.store, !store.isOff else { return becomeUnreadable(.off, &sink) }
        guard let clientHello else { return becomeUnreadable(.midstream, &sink) }
        if let serverHello, CipherSuite(number: serverHello.suite) == nil || serverHello.version < 0x0301 {
            return becomeUnreadable(.unsupportedCipher, &sink)
        }
        if let secrets = store.secrets(of: clientHello.random), secrets.isComplete {
            return openWith(secrets, clientHello, context, &sink)
        }
        guard context.limits.patience > 0 else { return giveUpWaiting(context, &sink) }
        state = .waiting(since: time)
        context.statistics.waitingConnections += 1
    }

    /// The store has changed: looks again for the keys of a connection that waits, and goes through what is held.
    /// - Returns: Whether the waiting is over.
    func lookAgain<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) -> Bool {
        guard case .waiting(let since) = state, let clientHello,
            let secrets = context.store?.secrets(of: clientHello.random), secrets.isComplete
        else { return !isWaiting }
        let delay = context.now.nanoseconds - since.nanoseconds
        context.statistics.longestKeyDelay = max(context.statistics.longestKeyDelay, delay)
        context.statistics.waitingConnections -= 1
        openWith(secrets, clientHello, context, &sink)
        replay(context, &sink)
        return true
    }

    /// Nothing more is waited for: does with what is there.
    func giveUpWaiting<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        if isWaiting { context.statistics.waitingConnections -= 1 }
        if let clientHello, let secrets = context.store?.secrets(of: clientHello.random), secrets.isUsable {
            openWith(secrets, clientHello, context, &sink)
        } else {
            becomeUnreadable(.noKey, &sink)
        }
        replay(context, &sink)
    }

    /// Goes through what is held, as if it came now.
    private func replay<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
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

    private func openWith<Sink: StreamSink & ~Copyable>(
        _ secrets: ConnectionSecrets,
        _ clientHello: ClientHello,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        state = .open
        if context.limits.patience > 0 { context.store?.remove(clientHello.random) }
        let isTLS13 = serverHello.map { $0.version >= 0x0304 } ?? (secrets.master == nil)
        if isTLS13 {
            if context.sessions[session].version == nil { context.sessions[session].version = 0x0304 }
            setSecret(secrets.clientTraffic, clientDirection)
            setSecret(secrets.serverTraffic, clientDirection.reversed)
            if let early = secrets.clientEarlyTraffic, let suite = suites(fitting: early).first {
                self[clientDirection].early = KeySchedule.protection(of: early, suite: suite)
            }
            if secrets.clientTraffic == nil, secrets.serverTraffic == nil { becomeUnreadable(.noKey, &sink) }
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

    private func setSecret(_ secret: SecretOctets?, _ direction: StreamDirection) {
        guard let secret else { return }
        self[direction].secret = secret
        self[direction].protections = suites(fitting: secret).map { KeySchedule.protection(of: secret, suite: $0) }
    }

    /// The suite of the server's hello; where that was not captured, those whose hash is as long as the secret.
    private func suites(fitting secret: SecretOctets) -> [CipherSuite] {
        if let serverHello { return CipherSuite(number: serverHello.suite).map { [$0] } ?? [] }
        let numbers: [UInt16] = secret.count == 48 ? [0x1302] : [0x1301, 0x1303]
        return numbers.compactMap(CipherSuite.init(number:))
    }

    private func becomeUnreadable<Sink: StreamSink & ~Copyable>(_ reason: EncryptionReason, _ sink: inout Sink) {
        if case .unreadable = state { return }
        // What was read before is not unread.
        var unread = octets
        if case .open = state, fromOriginator.hasOpened || fromResponder.hasOpened {
            unread = fromOriginator.search.buffer.count + fromResponder.search.buffer.count
        }
        state = .unreadable
        fromOriginator.becomeUnreadable()
        fromResponder.becomeUnreadable()
        sink.connectionUnreadable(reason, octets: unread, slot: handle)
    }

    // MARK: - Opening records

    private func open<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ record: [UInt8],
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        // A capture may have the keys of one direction only.
        guard !self[direction].protections.isEmpty, !self[direction].isEnded else { return }
        let body = record[RecordHeader.octetCount...]
        guard self[direction].hasOpened else {
            return openFirst(header, body, place, direction, context, &sink)
        }
        let protection = self[direction].protections[0]
        let sequence = self[direction].sequence
        guard let opened = protection.open(header, body, sequence: sequence, chained: self[direction].chained) else {
            context.statistics.failedRecords += 1
            // The record that announced new keys may have been among those that were lost.
            if let (secret, next) = nextGeneration(direction), let opened = next.open(header, body, sequence: 0) {
                self[direction].secret = secret
                self[direction].protections = [next]
                self[direction].sequence = 0
                return recordOpened(opened, header, body, place, direction, context, &sink)
            }
            self[direction].failures += 1
            guard self[direction].failures < context.limits.failures else { return becomeUnreadable(.lost, &sink) }
            return loseRecord(header, .captureLoss, place, direction, &sink)
        }
        self[direction].failures = 0
        recordOpened(opened, header, body, place, direction, context, &sink)
    }

    /// Tries the keys on a record, none of this direction having been opened yet.
    private func openFirst<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let first = self[direction].sequence
        let last = first + UInt64(self[direction].lostBeforeFirst)
        for (protection, sequence) in self[direction].protections.flatMap({ keys in (first...last).map { (keys, $0) } })
        {
            guard let opened = protection.open(header, body, sequence: sequence, chained: self[direction].chained)
            else { continue }
            self[direction].protections = [protection]
            self[direction].sequence = sequence
            self[direction].hasOpened = true
            // How much of what was lost was data is not known; nothing of it was given on that could be measured by it.
            if protection.isTLS13, sequence > first {
                missPlaintext(1, .captureLoss, place.firstTime, direction, &sink)
            }
            if context.sessions[session].cipherSuite == nil {
                context.sessions[session].cipherSuite = protection.suite.number
            }
            if !self[direction.reversed].hasOpened { context.statistics.decryptedConnections += 1 }
            return recordOpened(opened, header, body, place, direction, context, &sink)
        }
        if openEarly(header, body, place, direction, context, &sink) { return }
        if self[direction].protections[0].isTLS13 {
            self[direction].unopened.records += 1
            self[direction].unopened.octets += body.count
            let unopened = self[direction].unopened
            if unopened.records < context.limits.handshakeRecords,
                unopened.octets < context.limits.handshakeRecordOctets
            {
                return
            }
        }
        context.statistics.failedRecords += 1
        becomeUnreadable(.wrongKeys, &sink)
    }

    private func recordOpened<Sink: StreamSink & ~Copyable>(
        _ opened: OpenedRecord,
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let protection = self[direction].protections[0]
        self[direction].sequence += 1
        self[direction].explicitNonce = protection.explicitNonce(of: body)
        if protection.suite.isCBC, protection.version < 0x0302 { self[direction].chained = Array(body.suffix(16)) }
        if opened.isPadded { self[direction].pads = true }
        context.statistics.openedRecords += 1
        switch opened.type {
        case ContentType.applicationData:
            context.statistics.plaintextOctets += opened.octets.count
            // What the server says is said to a client whose early data it took, unless that begins anew.
            if direction != clientDirection { deliverEarlyData(context, &sink) }
            deliver(opened.octets, place, direction, protection.suite.explicitNonceLength, &sink)
        case ContentType.handshake where protection.isTLS13:
            innerHandshakeArrived(opened.octets, direction)
        case ContentType.alert:
            alertArrived(opened.octets, place, direction, &sink)
        default: break
        }
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
    }

    /// KeyUpdate is the only message that matters (RFC 8446 §4.6.3); the others are passed over.
    private func innerHandshakeArrived(_ octets: Span<UInt8>, _ direction: StreamDirection) {
        var index = 0
        while index < octets.count {
            if self[direction].messageRemaining > 0 {
                let taken = min(self[direction].messageRemaining, octets.count - index)
                self[direction].messageRemaining -= taken
                index += taken
                continue
            }
            self[direction].messageHead.append(octets[index])
            index += 1
            let head = self[direction].messageHead
            guard head.count == 4 else { continue }
            self[direction].messageHead = []
            self[direction].messageRemaining = Int(head[1]) << 16 | Int(head[2]) << 8 | Int(head[3])
            if head[0] == 24 { updateKeys(direction) }
        }
    }

    private func updateKeys(_ direction: StreamDirection) {
        guard let (secret, protection) = nextGeneration(direction) else { return }
        self[direction].secret = secret
        self[direction].protections = [protection]
        // The record that says so is counted behind this, under the old keys.
        self[direction].sequence = 0
        self[direction].messageRemaining = 0
    }

    private func nextGeneration(_ direction: StreamDirection) -> (SecretOctets, RecordProtection)? {
        guard let secret = self[direction].secret, let suite = self[direction].protections.first?.suite else {
            return nil
        }
        let next = KeySchedule.updated(secret, suite: suite)
        return (next, KeySchedule.protection(of: next, suite: suite))
    }

    /// close_notify ends the plaintext, whatever TCP does afterwards.
    private func alertArrived<Sink: StreamSink & ~Copyable>(
        _ octets: Span<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard octets.count == 2, octets[1] == 0, !self[direction].isEnded else { return }
        self[direction].isEnded = true
        sink.streamEnded(direction, .finished, at: place.lastTime, slot: handle)
    }

    // MARK: - Early data (RFC 8446 §4.2.10)

    /// Opens a record of a client that sends data before the handshake is over.
    private func openEarly<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) -> Bool {
        guard direction == clientDirection, let early = self[direction].early,
            let opened = early.open(header, body, sequence: self[direction].earlySequence)
        else { return false }
        self[direction].earlySequence += 1
        context.statistics.openedRecords += 1
        switch opened.type {
        case ContentType.applicationData:
            if self[direction].earlyPlace == nil { self[direction].earlyPlace = place }
            self[direction].earlyPlace?.lastTime = place.lastTime
            self[direction].earlyPlace?.end = place.end
            if self[direction].earlyData.count + opened.octets.count <= context.limits.handshakeRecordOctets {
                self[direction].earlyData.append(contentsOf: opened.octets)
            }
        // EndOfEarlyData is sent only to a server that took the data.
        case ContentType.handshake: deliverEarlyData(context, &sink)
        default: break
        }
        return true
    }

    /// Gives on what the client sent early, since the server took it.
    private func deliverEarlyData<Sink: StreamSink & ~Copyable>(_ context: TLSContext, _ sink: inout Sink) {
        guard !self[clientDirection].earlyData.isEmpty, let place = self[clientDirection].earlyPlace,
            !self[clientDirection].hasOpened
        else { return }
        let data = self[clientDirection].earlyData
        self[clientDirection].earlyData = []
        context.statistics.plaintextOctets += data.count
        deliver(data.span, place, clientDirection, 0, &sink)
        self[clientDirection].offsets.recordEnded(
            at: place.end,
            plaintext: self[clientDirection].plaintextOffset
        )
    }

    // MARK: - Plaintext

    /// Gives plaintext on, in two parts where its first octets were captured earlier than its last.
    private func deliver<Sink: StreamSink & ~Copyable>(
        _ plaintext: Span<UInt8>,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ explicitNonceLength: Int,
        _ sink: inout Sink
    ) {
        guard plaintext.count > 0 else { return }
        let acknowledged = place.acknowledged.flatMap {
            self[direction.reversed].offsets.plaintext(acknowledgedTo: $0)
        }
        let early = place.octetsAtFirst - RecordHeader.octetCount - explicitNonceLength
        let split = place.firstTime == place.lastTime ? 0 : max(0, min(early, plaintext.count - 1))
        var position = StreamPosition(
            direction: direction,
            offset: self[direction].plaintextOffset,
            time: split > 0 ? place.firstTime : place.lastTime,
            acknowledged: acknowledged,
            startsSegment: true
        )
        if split > 0 {
            sink.octetsArrived(plaintext.extracting(first: split), at: position, slot: handle)
            position = StreamPosition(
                direction: direction,
                offset: position.offset + Int64(split),
                time: place.lastTime,
                acknowledged: acknowledged,
                startsSegment: false
            )
        }
        sink.octetsArrived(plaintext.extracting(split...), at: position, slot: handle)
        self[direction].plaintextOffset += Int64(plaintext.count)
    }

    /// A record with known bounds will not be read: its plaintext is missing.
    private func loseRecord<Sink: StreamSink & ~Copyable>(
        _ header: RecordHeader,
        _ reason: MissingReason,
        _ place: RecordPlace,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard let protection = self[direction].protections.first, !self[direction].isEnded else { return }
        // Before the first record was opened it may well have been one of the handshake: then it has no number.
        guard self[direction].hasOpened else {
            if protection.isTLS13 { self[direction].lostBeforeFirst += 1 } else { self[direction].sequence += 1 }
            return
        }
        guard hasExactLengths(direction) else { return becomeUnreadable(.lost, &sink) }
        self[direction].sequence += 1
        let isData = protection.isTLS13 || header.type == ContentType.applicationData
        if isData { missPlaintext(header.length - protection.overhead, reason, place.lastTime, direction, &sink) }
        self[direction].offsets.recordEnded(at: place.end, plaintext: self[direction].plaintextOffset)
    }

    /// Whether the length of a record says how much plaintext it has.
    private func hasExactLengths(_ direction: StreamDirection) -> Bool {
        !self[direction].pads && self[direction].protections.first?.hasExactOverhead ?? false
    }

    private func missPlaintext<Sink: StreamSink & ~Copyable>(
        _ count: Int,
        _ reason: MissingReason,
        _ time: PacketTime,
        _ direction: StreamDirection,
        _ sink: inout Sink
    ) {
        guard count > 0 else { return }
        let position = StreamPosition(
            direction: direction,
            offset: self[direction].plaintextOffset,
            time: time,
            acknowledged: nil,
            startsSegment: false
        )
        sink.octetsMissing(count, reason: reason, at: position, slot: handle)
        self[direction].plaintextOffset += Int64(count)
    }
}

// MARK: - Behind a hole

extension TLSConnection {
    private func holeArrived(
        _ count: Int,
        _ reason: MissingReason,
        _ direction: StreamDirection,
        _ context: TLSContext
    ) {
        if case .handshake = state { finishHello(direction, context) }
        self[direction].search.lostOctets += self[direction].search.buffer.count + count
        self[direction].search.reason = reason
        self[direction].search.buffer.removeAll()
        self[direction].search.scanned = 0
    }

    private func unframedArrived<Sink: StreamSink & ~Copyable>(
        _ octets: [UInt8],
        _ position: StreamPosition,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        if case .handshake = state {
            findKeys(at: position.time, context, &sink)
            if case .waiting = state { return held.append(.unframed(octets, position), direction, context) }
        }
        guard case .open = state else { return }
        guard !self[direction].protections.isEmpty, !self[direction].isEnded else { return }
        guard !self[direction].hasOpened || hasExactLengths(direction) else { return becomeUnreadable(.lost, &sink) }
        if self[direction].search.buffer.isEmpty { self[direction].search.position = position }
        self[direction].search.buffer += octets
        self[direction].search.searched += octets.count
        searchRecord(position, direction, context, &sink)
    }

    /// Looks for a record in what came behind the hole.
    private func searchRecord<Sink: StreamSink & ~Copyable>(
        _ position: StreamPosition,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        let buffer = self[direction].search.buffer
        var index = self[direction].search.scanned
        while index + RecordHeader.octetCount <= buffer.count {
            guard let header = candidate(buffer, at: index, direction) else {
                index += 1
                continue
            }
            let end = index + RecordHeader.octetCount + header.length
            guard end <= buffer.count else { break }
            if end + RecordHeader.octetCount > buffer.count || RecordHeader(buffer.span, at: end) != nil,
                let found = number(
                    of: header,
                    buffer[(index + RecordHeader.octetCount)..<end],
                    index,
                    direction,
                    context
                )
            {
                return resume(found, at: index, position, direction, context, &sink)
            }
            index += 1
        }
        self[direction].search.scanned = index
        if self[direction].search.searched > context.limits.searchedOctets { return becomeUnreadable(.lost, &sink) }
        // What was looked at in vain is lost like the hole itself.
        if index > 32 << 10 {
            self[direction].search.buffer.removeFirst(index)
            self[direction].search.lostOctets += index
            self[direction].search.scanned = 0
            self[direction].search.position = self[direction].search.position.moved(by: index)
        }
    }

    /// The header of a record of application data, if one may begin there.
    private func candidate(_ buffer: [UInt8], at index: Int, _ direction: StreamDirection) -> RecordHeader? {
        guard buffer[index] == ContentType.applicationData, buffer[index + 1] == 3,
            let header = RecordHeader(buffer.span, at: index), let protection = self[direction].protections.first,
            header.version == min(protection.version, 0x0303), header.length >= protection.overhead
        else { return nil }
        return header
    }

    /// A record that was found, with how many lie between it and the last that is known.
    private struct FoundRecord {
        let protection: RecordProtection
        /// Set where the keys were changed within the hole.
        var secret: SecretOctets?
        let sequence: UInt64
        /// Records that were lost; `nil` where that is not known.
        let lostRecords: Int?
    }

    /// The number under which a record is authentic.
    private func number(
        of header: RecordHeader,
        _ body: ArraySlice<UInt8>,
        _ index: Int,
        _ direction: StreamDirection,
        _ context: TLSContext
    ) -> FoundRecord? {
        let next = self[direction].sequence
        let lost = self[direction].search.lostOctets + index
        let bound = min(context.limits.trialsPerRecord, lost / 22 + 1 + self[direction].lostBeforeFirst)
        for protection in self[direction].protections {
            var numbers = 0...bound
            // The explicit nonce counts records, whatever it begins with.
            if let last = self[direction].explicitNonce, let explicit = protection.explicitNonce(of: body) {
                let skipped = explicit &- last &- 1
                if skipped <= UInt64(bound) { numbers = Int(skipped)...Int(skipped) }
            }
            for skipped in numbers {
                guard context.mayTry() else { return nil }
                if protection.open(header, body, sequence: next + UInt64(skipped)) != nil {
                    return FoundRecord(
                        protection: protection,
                        sequence: next + UInt64(skipped),
                        lostRecords: self[direction].hasOpened ? skipped : nil
                    )
                }
            }
        }
        guard self[direction].hasOpened, let (secret, protection) = nextGeneration(direction) else { return nil }
        for sequence in 0...bound {
            guard context.mayTry() else { return nil }
            if protection.open(header, body, sequence: UInt64(sequence)) != nil {
                return FoundRecord(
                    protection: protection,
                    secret: secret,
                    sequence: UInt64(sequence),
                    lostRecords: nil
                )
            }
        }
        return nil
    }

    /// Goes on with a record that was found.
    private func resume<Sink: StreamSink & ~Copyable>(
        _ found: FoundRecord,
        at index: Int,
        _ position: StreamPosition,
        _ direction: StreamDirection,
        _ context: TLSContext,
        _ sink: inout Sink
    ) {
        context.statistics.bridgedHoles += 1
        let search = self[direction].search
        let lost = search.lostOctets + index
        let overhead = found.protection.overhead + RecordHeader.octetCount
        let plaintext: Int
        if let records = found.lostRecords {
            plaintext = lost - records * overhead
        } else {
            // Handshake messages may be among what was lost, so that only whether anything was lost is certain.
            let first: UInt64 = found.protection.isTLS13 ? 0 : 1
            plaintext = found.sequence > first || self[direction].hasOpened ? max(1, lost - overhead) : 0
        }
        missPlaintext(plaintext, search.reason, search.position.time, direction, &sink)
        self[direction].protections = [found.protection]
        if let secret = found.secret { self[direction].secret = secret }
        self[direction].sequence = found.sequence
        self[direction].isEncrypted = true
        self[direction].search = RecordSearch()
        self[direction].messageRemaining = 0
        self[direction].messageHead = []
        self[direction].framed()
        self[direction].explicitNonce = nil
        let rest = search.buffer[index...]
        read(Array(rest).span, at: search.position.moved(by: index).stamped(position), context, &sink)
    }
}

extension StreamPosition {
    /// The place with the time and the acknowledgement of another.
    fileprivate func stamped(_ other: StreamPosition) -> StreamPosition {
        StreamPosition(
            direction: direction,
            offset: offset,
            time: other.time,
            acknowledged: other.acknowledged,
            startsSegment: true
        )
    }
}
