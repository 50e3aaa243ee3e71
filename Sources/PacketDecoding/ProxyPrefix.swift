// Wingmirror · Apache-2.0
// The PROXY protocol, versions 1 and 2: haproxy.org/download/2.8/doc/proxy-protocol.txt §2.

/// How the headers begin that a load balancer writes in front of a client's first octets, and how long they are.
package enum ProxyPrefix {
    /// What a header of version 1 begins with, which is a line (§2.1).
    package static var line: StaticString { "PROXY " }
    /// The longest header of version 1, with its line end (§2.1).
    package static var lineLimit: Int { 107 }
    /// What a header of version 2 begins with (§2.2).
    package static var signature: StaticString { "\r\n\r\n\0\r\nQUIT\n" }
    /// The octets of a header of version 2 in front of its addresses (§2.2).
    package static var fixedOctets: Int { 16 }

    /// The length of a header of version 2, of which the fixed octets are there (§2.2).
    package static func length(_ high: UInt8, _ low: UInt8) -> Int {
        fixedOctets + (Int(high) << 8 | Int(low))
    }
}
