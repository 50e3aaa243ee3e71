// Wingmirror · Apache-2.0

import CPcap

/// The yardstick: every packet of a savefile read with libpcap, lengths added up, nothing else.
enum BareLoop {
    /// What was read.
    struct Totals {
        var packets = 0
        var octets = 0
    }

    /// Reads a savefile to its end.
    ///
    /// The C functions are `pcap_open_offline`, `pcap_next_ex` and `pcap_close`.
    static func read(_ path: String) throws -> Totals {
        var reason = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        // The buffer has the size that libpcap demands, and lives through the call.
        let opened = unsafe reason.withUnsafeMutableBufferPointer { unsafe pcap_open_offline(path, $0.baseAddress) }
        guard let pcap = unsafe opened else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw BenchmarkFailure("\(path) cannot be read: \(String(decoding: text, as: UTF8.self))")
        }
        defer { unsafe pcap_close(pcap) }
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        var totals = Totals()
        while unsafe pcap_next_ex(pcap, &header, &data) == 1 {
            totals.packets += 1
            // libpcap lends the header until the next call.
            unsafe totals.octets += Int(header?.pointee.caplen ?? 0)
        }
        return totals
    }
}
