// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly

/// The tracked connections, by their slot in reassembly.
///
/// The slots that are in use lie close together, so memory grows by blocks up to the highest of them, and is never moved.
@safe
struct TrackedConnections: ~Copyable {
    /// The blocks, for ``blockSize`` connections each, all of which were written.
    private var blocks: UnsafeMutablePointer<UnsafeMutablePointer<TrackedConnection>>
    private var blockCount = 0
    private var blockCapacity = 0
    /// How many connections are open.
    private(set) var count = 0
    /// What few connections have.
    private let uncommon: UnsafeMutablePointer<UncommonFacts>

    private static var blockShift: Int { 8 }
    private static var blockSize: Int { 1 << blockShift }

    init() {
        unsafe blocks = .allocate(capacity: 0)
        unsafe uncommon = .allocate(capacity: 1)
        unsafe uncommon.initialize(to: UncommonFacts())
    }

    deinit {
        // Connections are plain words, with which nothing has to be done at the end.
        for index in 0..<blockCount { unsafe blocks[index].deallocate() }
        unsafe blocks.deallocate()
        unsafe uncommon.deinitialize(count: 1)
        unsafe uncommon.deallocate()
    }

    /// The connection in a slot that was opened at some time, in place.
    subscript(slot: Int32) -> TrackedConnection {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(pointer(Int(slot))) }
        @inline(__always)
        unsafeMutableAddress { unsafe pointer(Int(slot)) }
    }

    /// The connection in a slot that was opened at some time, in place.
    subscript(slot: Int) -> TrackedConnection {
        @inline(__always)
        unsafeAddress { unsafe UnsafePointer(pointer(slot)) }
        @inline(__always)
        unsafeMutableAddress { unsafe pointer(slot) }
    }

    @inline(__always)
    private func pointer(_ slot: Int) -> UnsafeMutablePointer<TrackedConnection> {
        precondition(
            UInt(bitPattern: slot) >> Self.blockShift < UInt(bitPattern: blockCount),
            "TrackedConnections: no such slot was opened"
        )
        // Invariant: there is a block for the slot, which was checked; it has room for `blockSize` connections, all of which
        // were written when it was made, and is neither moved nor freed while the store lives.
        return unsafe blocks[slot &>> Self.blockShift] + (slot & (Self.blockSize - 1))
    }

    // MARK: - Opening and closing

    /// Begins to keep a connection, of which nothing but its introduction is known.
    mutating func open(_ introduction: ConnectionIntroduction) {
        while introduction.slot >> Self.blockShift >= blockCount { addBlock() }
        count += 1
        self[introduction.slot] = TrackedConnection(introduction) { unsafe uncommon.pointee.longEnds.insert($0) }
    }

    /// Ends a connection, whose slot will be another's.
    mutating func close(_ slot: Int) {
        count -= 1
        self[slot].reader = .probing(-1)
        if !self[slot].isPlain { unsafe uncommon.pointee.discardFacts(of: self[slot]) }
    }

    @inline(never)
    private mutating func addBlock() {
        if blockCount == blockCapacity {
            blockCapacity = max(16, blockCapacity * 2)
            let larger = UnsafeMutablePointer<UnsafeMutablePointer<TrackedConnection>>.allocate(capacity: blockCapacity)
            unsafe larger.moveInitialize(from: blocks, count: blockCount)
            unsafe blocks.deallocate()
            unsafe blocks = larger
        }
        // Invariant: the bound type is the only one that lives there.
        let octets = UnsafeMutableRawPointer.allocate(
            byteCount: Self.blockSize * MemoryLayout<TrackedConnection>.stride,
            alignment: 64
        )
        let memory = unsafe octets.bindMemory(to: TrackedConnection.self, capacity: Self.blockSize)
        unsafe memory.initialize(repeating: TrackedConnection(), count: Self.blockSize)
        unsafe (blocks + blockCount).initialize(to: memory)
        blockCount += 1
    }

    // MARK: - Facts

    /// A connection as sinks see it.
    @inline(__always)
    func facts(of slot: Int32) -> ConnectionFacts {
        facts(of: Int(slot))
    }

    /// A connection as sinks see it.
    @inline(__always)
    func facts(of slot: Int) -> ConnectionFacts {
        _fastPath(self[slot].isPlain)
            ? self[slot].facts(self[slot].shortEnds, clientFromProxy: nil)
            : unsafe uncommon.pointee.facts(of: self[slot])
    }

    /// A PROXY header was read: it names a client, or says that there is none.
    mutating func proxyHeaderRead(_ client: Endpoint?, isMalformed: Bool, slot: Int) {
        self[slot].hasMalformedProxyHeader = isMalformed
        if self[slot].proxiedClient >= 0 {
            unsafe uncommon.pointee.proxiedClients.discard(at: self[slot].proxiedClient)
        }
        self[slot].proxiedClient = client.map { unsafe uncommon.pointee.proxiedClients.insert($0) } ?? -1
    }
}

/// What facts of few connections consist of: addresses that are not of IPv4, and clients that PROXY headers named.
///
/// At an address of its own, because a call on behalf of one connection would copy it where it lay in another structure, and
/// each access to an object would be checked for others at the time.
private struct UncommonFacts: ~Copyable {
    var longEnds = Slab<TrackedConnection.LongEnds>()
    var proxiedClients = Slab<Endpoint>()

    @inline(never)
    func facts(of connection: TrackedConnection) -> ConnectionFacts {
        let ends = connection.longEnds.map { longEnds[$0] } ?? connection.shortEnds
        let proxied = connection.proxiedClient
        return connection.facts(ends, clientFromProxy: proxied >= 0 ? proxiedClients[proxied] : nil)
    }

    @inline(never)
    mutating func discardFacts(of connection: TrackedConnection) {
        if let index = connection.longEnds { longEnds.discard(at: index) }
        if connection.proxiedClient >= 0 { proxiedClients.discard(at: connection.proxiedClient) }
    }
}
