// Wingmirror · Apache-2.0
// All calls into libpcap are in this file, one wrapper for each.

import CPcap
import Glibc
import PacketDecoding

/// A savefile or an interface that libpcap has opened; the only owner of the C handle.
@safe
struct PcapHandle: ~Copyable {
    private let pcap: OpaquePointer
    /// The savefile's octets, which the C stream behind `pcap` borrows; `nil` for an interface.
    private let source: SavefileSource?
    /// What libpcap lent with the last packet, until the next call.
    private var header: UnsafeMutablePointer<pcap_pkthdr>?
    private var data: UnsafePointer<UInt8>?
    /// Whether packets have come from this interface, so that its first filter is the kernel's business alone.
    private var hasDelivered = false
    /// When this handle began to share an interface: packets of the moment before were another worker's too.
    private var shareBeginning: PacketTime?
    /// Whether its totals count packets that are never delivered.
    private(set) var hidesUndelivered = false

    private init(_ pcap: OpaquePointer, source: SavefileSource?) {
        unsafe self.pcap = unsafe pcap
        self.source = source
        unsafe header = nil
        unsafe data = nil
    }

    /// Closes the handle, and the C stream behind it.
    ///
    /// The C function is `pcap_close`.
    deinit {
        unsafe pcap_close(pcap)
    }

    /// What libpcap last said about this handle.
    ///
    /// The C function is `pcap_geterr`.
    var lastError: String {
        unsafe String(cString: pcap_geterr(pcap))
    }

    /// The link type of its packets, as the registry numbers it.
    ///
    /// The C function is `pcap_datalink`.
    var linkType: LinkType {
        LinkType(datalink: unsafe pcap_datalink(pcap))
    }

    /// How many octets it gives of a packet at most.
    ///
    /// The C function is `pcap_snapshot`.
    var snapshotLength: Int {
        Int(unsafe pcap_snapshot(pcap))
    }
}

// MARK: - Savefiles

extension PcapHandle {
    /// What a read came to.
    enum Read {
        /// There is a packet: `time`, `wireLength` and `octets` describe it.
        case packet
        /// The savefile is at its end.
        case end
        /// There is no more to read; `lastError` says why.
        case failed
    }

    /// Opens a savefile; times are in nanoseconds whatever the file has.
    ///
    /// The C function is `pcap_fopen_offline_with_tstamp_precision`.
    static func openSavefile(_ source: SavefileSource) throws(PcapFailure) -> PcapHandle {
        guard let stream = unsafe source.openStream() else {
            throw PcapFailure(reason: systemMessage(errno))
        }
        var buffer = ErrorBuffer()
        let precision = UInt32(PCAP_TSTAMP_PRECISION_NANO)
        let pcap = unsafe buffer.fill { unsafe pcap_fopen_offline_with_tstamp_precision(stream, precision, $0) }
        guard let pcap = unsafe pcap else {
            // libpcap leaves the stream to its opener when it refuses the savefile.
            unsafe fclose(stream)
            throw PcapFailure(reason: buffer.text)
        }
        return unsafe PcapHandle(pcap, source: source)
    }

    /// Reads the next packet of a savefile, and lets go of the last.
    ///
    /// The C function is `pcap_next_ex`.
    mutating func next() -> Read {
        switch unsafe pcap_next_ex(pcap, &header, &data) {
        case 1:
            return .packet
        case PCAP_ERROR_BREAK:
            return .end
        default:
            return .failed
        }
    }

    /// When the last packet of a savefile was captured.
    ///
    /// The seconds of savefiles have no sign (draft-ietf-opsawg-pcap §5), but libpcap gives them one where the file has this machine's
    /// byte order.
    var time: PacketTime {
        guard let header = unsafe header else {
            return PacketTime(nanoseconds: 0)
        }
        var stamp = unsafe header.pointee.ts
        stamp.tv_sec = Int(UInt32(truncatingIfNeeded: stamp.tv_sec))
        return PacketTime(stamp)
    }

    /// Octets of the last packet on the wire.
    var wireLength: Int {
        unsafe Int(header?.pointee.len ?? 0)
    }

    /// The captured octets of the last packet.
    var octets: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let count = unsafe data == nil ? 0 : Int(header?.pointee.caplen ?? 0)
            let buffer = unsafe UnsafeBufferPointer(start: data, count: count)
            // libpcap keeps the octets until the next read, which needs this handle exclusively.
            return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
        }
    }

    /// How many octets of the savefile libpcap has taken.
    ///
    /// The C functions are `pcap_file` and `ftello`.
    var position: Int {
        guard let stream = unsafe pcap_file(pcap) else {
            return 0
        }
        return unsafe ftello(stream)
    }
}

// MARK: - Filters

extension PcapHandle {
    /// Lets only those packets through that match an expression.
    ///
    /// The C functions are `pcap_compile`, `pcap_setfilter` and `pcap_freecode`.
    mutating func setFilter(_ expression: String) throws(CaptureError) {
        var program = unsafe try program(expression)
        let result = unsafe pcap_setfilter(pcap, &program)
        unsafe pcap_freecode(&program)
        guard result == 0 else {
            throw CaptureError(.invalidFilter, "the filter \"\(expression)\" was not accepted", cause: lastError)
        }
    }
}

extension PcapHandle {
    /// Finds out whether an expression compiles, without anything to read from.
    static func compile(_ expression: String, for linkType: LinkType) throws(CaptureError) {
        _ = try PacketFilter(expression, for: linkType)
    }

    /// A handle from which nothing can be read.
    ///
    /// The C function is `pcap_open_dead`.
    static func openNothing(_ linkType: LinkType = .ethernet) throws(CaptureError) -> PcapHandle {
        guard let dead = unsafe pcap_open_dead(linkType.datalink, CInt(LiveConfiguration.defaultSnapshotLength)) else {
            throw CaptureError(.invalidFilter, "there is no memory to check the filter in")
        }
        return unsafe PcapHandle(dead, source: nil)
    }

    /// Compiles an expression for the link type of this handle.
    ///
    /// The C function is `pcap_compile`; who gets the program frees it.
    fileprivate func program(_ expression: String) throws(CaptureError) -> bpf_program {
        var program = unsafe bpf_program()
        guard unsafe pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
            throw CaptureError(.invalidFilter, "the filter \"\(expression)\" cannot be used", cause: lastError)
        }
        return unsafe program
    }
}

/// A filter for packets of one link type that libpcap has not read itself.
///
/// It serves one reader on one thread and is not `Sendable`.
@safe
final class PacketFilter {
    private var program: bpf_program

    /// Compiles an expression of libpcap's language.
    init(_ expression: String, for linkType: LinkType) throws(CaptureError) {
        let handle = try PcapHandle.openNothing(linkType)
        unsafe program = try handle.program(expression)
    }

    /// Releases the program.
    ///
    /// The C function is `pcap_freecode`.
    deinit {
        unsafe pcap_freecode(&program)
    }

    /// Whether a packet matches.
    ///
    /// The C function is `pcap_offline_filter`.
    func matches(_ octets: Span<UInt8>, wireLength: Int) -> Bool {
        var header = pcap_pkthdr()
        header.caplen = UInt32(clamping: octets.count)
        header.len = UInt32(clamping: wireLength)
        return unsafe octets.withUnsafeBufferPointer { buffer in
            // libpcap reads no more than `caplen` octets, but asks for a place even when there are none.
            guard let base = buffer.baseAddress else {
                return false
            }
            return unsafe pcap_offline_filter(&program, &header, base) != 0
        }
    }
}

// MARK: - Live capture

extension PcapHandle: LiveHandle {
    /// Prepares an interface and starts capturing on it.
    ///
    /// The C functions are `pcap_create`, `pcap_set_snaplen`, `pcap_set_promisc`, `pcap_set_timeout`,
    /// `pcap_set_buffer_size`, `pcap_set_tstamp_precision` and `pcap_activate`.
    ///
    /// The immediate mode is left alone on purpose: it would make libpcap use the kernel's older ring of equal slots,
    /// and a short packet buffer timeout is as prompt as anyone needs.
    static func openInterface(
        _ name: String,
        _ configuration: LiveConfiguration,
        filter: CaptureFilter,
        share: CaptureShare? = nil
    ) throws(CaptureError) -> PcapHandle {
        var buffer = ErrorBuffer()
        let created = unsafe buffer.fill { unsafe pcap_create(name, $0) }
        guard let created = unsafe created else {
            throw CaptureError(.captureFailed, "\(name) cannot be captured on", cause: buffer.text)
        }
        var handle = unsafe PcapHandle(created, source: nil)
        // These fail only on a handle that is active already.
        unsafe pcap_set_snaplen(created, CInt(clamping: configuration.snapshotLength))
        unsafe pcap_set_promisc(created, configuration.isPromiscuous ? 1 : 0)
        unsafe pcap_set_timeout(created, CInt(LiveConfiguration.packetBufferTimeoutMilliseconds))
        unsafe pcap_set_buffer_size(created, CInt(clamping: configuration.ringOctets / (share?.workers ?? 1)))
        unsafe pcap_set_tstamp_precision(created, PCAP_TSTAMP_PRECISION_NANO)
        let result = unsafe pcap_activate(created)
        guard result >= 0 else {
            throw CaptureError(activating: name, result: result, reason: handle.lastError)
        }
        if let share {
            handle.hidesUndelivered = try share.join(handle.descriptor, on: name)
            handle.shareBeginning = LiveEnvironment.system.packetTime()
        }
        try handle.prepare(name, filter)
        return handle
    }

    /// Chooses the link type, installs the filter, and makes reads return at once.
    ///
    /// The C functions are `pcap_set_datalink` and `pcap_setnonblock`.
    private mutating func prepare(_ name: String, _ filter: CaptureFilter) throws(CaptureError) {
        if linkType == .linuxCooked {
            // Version 2 says which interface a packet came from; where it is not offered, version 1 stays.
            unsafe pcap_set_datalink(pcap, DLT_LINUX_SLL2)
        }
        if PacketSocket.isLoopback(name) {
            PacketSocket.ignoreOutgoing(descriptor)
        }
        let expression = filter.text(for: linkType)
        if !expression.isEmpty {
            try setFilter(expression)
        }
        var buffer = ErrorBuffer()
        guard unsafe buffer.fill({ unsafe pcap_setnonblock(pcap, 1, $0) }) == 0 else {
            throw CaptureError(.captureFailed, "\(name) cannot be read without waiting", cause: buffer.text)
        }
    }

    /// What `poll` is to wait for; -1 when there is nothing.
    ///
    /// The C function is `pcap_get_selectable_fd`.
    var descriptor: CInt {
        unsafe pcap_get_selectable_fd(pcap)
    }

    /// The size of the kernel's ring.
    var ringOctets: Int {
        PacketSocket.ringOctets(descriptor)
    }

    /// Delivers up to `limit` packets that have arrived.
    ///
    /// The C function is `pcap_dispatch`, because `pcap_next_ex` copies each packet out of the ring.
    /// - Returns: How many there were, or `nil` when nothing can be read any more; `lastError` says why.
    mutating func deliver(
        limit: Int,
        to receive: (PacketTime, _ wireLength: Int, _ octets: Span<UInt8>) -> Void
    ) -> Int? {
        let count = withoutActuallyEscaping(receive) { receive in
            var delivery = Delivery(receive: receive, beginning: shareBeginning)
            return unsafe withUnsafeMutablePointer(to: &delivery) { delivery in
                unsafe pcap_dispatch(
                    pcap,
                    CInt(clamping: limit),
                    { delivery, header, data in
                        guard
                            let delivery = unsafe UnsafeRawPointer(delivery)?.assumingMemoryBound(to: Delivery.self),
                            let header = unsafe header
                        else {
                            return
                        }
                        let time = unsafe PacketTime(header.pointee.ts)
                        if let beginning = unsafe delivery.pointee.beginning, time.isMomentBefore(beginning) { return }
                        let buffer = unsafe UnsafeBufferPointer(start: data, count: Int(header.pointee.caplen))
                        unsafe delivery.pointee.receive(
                            time,
                            Int(header.pointee.len),
                            Span(_unsafeElements: buffer)
                        )
                    },
                    UnsafeMutableRawPointer(delivery).assumingMemoryBound(to: UInt8.self)
                )
            }
        }
        hasDelivered = hasDelivered || count > 0
        return count < 0 ? nil : Int(count)
    }

    /// libpcap's totals since the handle was opened.
    ///
    /// The C function is `pcap_stats`.
    func statistics() -> LiveStatistics? {
        var statistics = pcap_stat()
        guard unsafe pcap_stats(pcap, &statistics) == 0 else {
            return nil
        }
        return LiveStatistics(
            received: statistics.ps_recv,
            dropped: statistics.ps_drop,
            droppedByInterface: statistics.ps_ifdrop
        )
    }

    /// Lets other packets into the ring from now on.
    ///
    /// The kernel exchanges its filter in one step, so no packet that both filters let through is lost. `pcap_setfilter`
    /// would hold everything back for a moment, and hold what is in the ring already against the new filter. It has to do
    /// on cooked interfaces, where it rewrites the program, for a program that the kernel refuses, and before the first
    /// packet, because libpcap itself applies the first filter to the first block of the ring.
    ///
    /// The C functions are `pcap_compile` and `pcap_freecode`.
    mutating func change(filter: CaptureFilter) throws(CaptureError) {
        let expression = filter.text(for: linkType)
        var program = unsafe try program(expression)
        let isCooked = linkType == .linuxCooked || linkType == .linuxCooked2
        let isChanged =
            unsafe hasDelivered && !isCooked && PacketSocket.attach(program.bf_insns, program.bf_len, to: descriptor)
        unsafe pcap_freecode(&program)
        if !isChanged {
            try setFilter(expression)
        }
    }

    /// Lets no more packets into the ring; what is in it can still be delivered.
    mutating func stopArrivals() {
        PacketSocket.rejectAll(descriptor)
    }

    /// What `pcap_dispatch` passes through to its callback.
    private struct Delivery {
        let receive: (PacketTime, Int, Span<UInt8>) -> Void
        let beginning: PacketTime?
    }
}

extension PacketTime {
    /// Whether this lies in the second before `time`: longer ago is a clock that was set back.
    fileprivate func isMomentBefore(_ time: PacketTime) -> Bool {
        (1...1_000_000_000).contains(time.nanoseconds(since: self))
    }
}

// MARK: - Interfaces and the library

extension PcapHandle {
    /// Lists the interfaces.
    ///
    /// The C functions are `pcap_findalldevs` and `pcap_freealldevs`.
    static func findInterfaces() throws(PcapFailure) -> [NetworkInterface] {
        var buffer = ErrorBuffer()
        var first: UnsafeMutablePointer<pcap_if_t>?
        guard unsafe buffer.fill({ unsafe pcap_findalldevs(&first, $0) }) == 0 else {
            throw PcapFailure(reason: buffer.text)
        }
        defer { unsafe pcap_freealldevs(first) }
        var interfaces: [NetworkInterface] = []
        var next = unsafe first
        while let interface = unsafe next?.pointee {
            unsafe interfaces.append(NetworkInterface(interface))
            unsafe next = unsafe interface.next
        }
        return interfaces
    }

    /// What libpcap calls itself, with its version.
    ///
    /// The C function is `pcap_lib_version`.
    static var libraryVersion: String {
        unsafe String(cString: pcap_lib_version())
    }
}

extension NetworkInterface {
    fileprivate init(_ interface: pcap_if_t) {
        var addresses: [IPAddress] = []
        var next = unsafe interface.addresses
        while let entry = unsafe next?.pointee {
            if let address = unsafe entry.addr.flatMap({ unsafe IPAddress(socketAddress: $0) }) {
                addresses.append(address)
            }
            unsafe next = unsafe entry.next
        }
        unsafe self.init(
            name: String(cString: interface.name),
            addresses: addresses,
            isUp: interface.flags & UInt32(PCAP_IF_UP) != 0,
            isRunning: interface.flags & UInt32(PCAP_IF_RUNNING) != 0,
            isLoopback: interface.flags & UInt32(PCAP_IF_LOOPBACK) != 0
        )
    }
}

extension IPAddress {
    /// The address in a socket address; `nil` for other families.
    fileprivate init?(socketAddress: UnsafeMutablePointer<sockaddr>) {
        switch unsafe CInt(socketAddress.pointee.sa_family) {
        case AF_INET:
            let address = unsafe UnsafeRawPointer(socketAddress).load(as: sockaddr_in.self)
            self.init(ipv4: UInt32(bigEndian: address.sin_addr.s_addr))
        case AF_INET6:
            let address = unsafe UnsafeRawPointer(socketAddress).load(as: sockaddr_in6.self).sin6_addr
            let halves = unsafe unsafeBitCast(address, to: (UInt64, UInt64).self)
            self.init(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
        default:
            return nil
        }
    }
}

// MARK: - Small parts

/// What libpcap said when it gave no handle.
struct PcapFailure: Error {
    let reason: String
}

/// The buffer that libpcap writes an error message into.
@safe
private struct ErrorBuffer {
    private var octets = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE) + 1)

    /// Lends the buffer to a C function.
    mutating func fill<Result>(_ body: (UnsafeMutablePointer<CChar>) -> Result) -> Result {
        unsafe octets.withUnsafeMutableBufferPointer { buffer in
            // The array is never empty, so it has a first element.
            guard let base = buffer.baseAddress else {
                preconditionFailure("ErrorBuffer.fill: an array of \(PCAP_ERRBUF_SIZE) octets has no storage")
            }
            return unsafe body(base)
        }
    }

    /// What was written.
    var text: String {
        String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension PacketTime {
    /// A time as libpcap gives it when asked for nanoseconds: in `tv_usec`, in spite of its name.
    ///
    /// Wraps rather than traps, because a savefile may hold any 64-bit number of seconds.
    fileprivate init(_ time: timeval) {
        self.init(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_usec))
    }
}
