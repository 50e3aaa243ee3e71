// Wingmirror · Apache-2.0

import PacketDecoding

extension LinkType {
    /// The registry's number for what libpcap calls `datalink` in memory.
    ///
    /// The two differ only for a few types that systems had numbered before there was a registry; libpcap translates
    /// them when it writes a savefile, and back when it reads one (its `pcap-common.c`).
    init(datalink: Int32) {
        switch datalink {
        case 11: self.init(rawValue: 100)  // RFC 2684 encapsulation over ATM
        case 12, 14: self.init(rawValue: 101)  // raw IP; 14 on OpenBSD
        case 15: self.init(rawValue: 102)  // SLIP of BSD/OS
        case 16: self.init(rawValue: 103)  // PPP of BSD/OS
        case 18: self.init(rawValue: 246)  // pfsync
        case 19: self.init(rawValue: 106)  // Linux classical IP over ATM
        default: self.init(rawValue: datalink)
        }
    }
}
