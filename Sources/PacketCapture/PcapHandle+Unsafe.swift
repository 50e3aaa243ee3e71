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

    /// When the last packet was captured.
    var time: PacketTime {
        guard let header = unsafe header else {
            return PacketTime(nanoseconds: 0)
        }
        return unsafe PacketTime(header.pointee.ts)
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
        var program = unsafe bpf_program()
        guard unsafe pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
            throw CaptureError(.invalidFilter, "the filter \"\(expression)\" cannot be used", cause: lastError)
        }
        let result = unsafe pcap_setfilter(pcap, &program)
        unsafe pcap_freecode(&program)
        guard result == 0 else {
            throw CaptureError(.invalidFilter, "the filter \"\(expression)\" was not accepted", cause: lastError)
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
