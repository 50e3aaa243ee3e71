// Wingmirror · Apache-2.0

/// An IPv4 or IPv6 address.
///
/// An IPv4 address is kept in its IPv4-mapped form (RFC 4291 §2.5.5.2), so that one type of two words serves both; an
/// IPv6 packet that carries a mapped address is therefore shown as the IPv4 address that it stands for.
public struct IPAddress: Sendable, Hashable {
    /// The first eight octets, as a number in host byte order.
    public let high: UInt64
    /// The last eight octets, as a number in host byte order.
    public let low: UInt64

    /// Makes an address of its two halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes an IPv4 address of its four octets, read as one number in host byte order.
    @inlinable
    public init(ipv4 address: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(address))
    }

    /// Whether this is an IPv4 address.
    public var isIPv4: Bool {
        high == 0 && low >> 32 == 0xFFFF
    }
}

/// One end of a TCP connection.
public struct Endpoint: Sendable, Hashable {
    /// The address, without a zone.
    public let address: IPAddress
    /// The port, in host byte order.
    public let port: UInt16

    /// Makes an endpoint.
    @inlinable
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}
