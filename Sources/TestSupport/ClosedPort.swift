// Wingmirror · Apache-2.0

import Glibc

/// A port of 127.0.0.1 at which every connection is refused for as long as this value lives.
///
/// A port that a server has just left may be another test's by the next moment. This one is bound, so that nothing else gets
/// it, and never listened on, so that the system answers each SYN with a reset (RFC 9293 section 3.5.2).
public final class ClosedPort: Sendable {
    /// Its number.
    public let port: Int
    private let descriptor: Int32

    /// There was no socket or no port to be had.
    public struct Unavailable: Error {}

    /// Takes a port that nothing else has.
    public init() throws {
        (descriptor, port) = try Self.boundSocket()
    }

    /// A TCP socket that is bound to a free port of 127.0.0.1, which is for the caller to close.
    public static func boundSocket() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Unavailable() }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            throw Unavailable()
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    deinit {
        close(descriptor)
    }
}
