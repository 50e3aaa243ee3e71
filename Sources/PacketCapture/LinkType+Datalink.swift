// Wingmirror · Apache-2.0

import PacketDecoding

extension LinkType {
    /// Where libpcap's numbers in memory and the registry's differ.
    ///
    /// They are those of a few types that systems had numbered before there was a registry. libpcap translates them when it
    /// writes or reads a savefile (its `pcap-common.c`).
    private static let differences: [(datalink: Int32, registered: Int32)] = [
        (11, 100),  // RFC 2684 encapsulation over ATM
        (12, 101),  // raw IP
        (14, 101),  // raw IP on OpenBSD
        (15, 102),  // SLIP of BSD/OS
        (16, 103),  // PPP of BSD/OS
        (18, 246),  // pfsync
        (19, 106),  // Linux classical IP over ATM
    ]

    /// The registry's number for what libpcap calls `datalink` in memory.
    init(datalink: Int32) {
        self.init(rawValue: Self.differences.first { $0.datalink == datalink }?.registered ?? datalink)
    }

    /// What libpcap calls it in memory.
    var datalink: Int32 {
        Self.differences.first { $0.registered == rawValue }?.datalink ?? rawValue
    }
}
