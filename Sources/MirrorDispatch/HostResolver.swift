// Wingmirror · Apache-2.0

import NIOPosix

/// Finds the addresses of a name.
public protocol HostResolver: Sendable {
    /// Looks up a host.
    ///
    /// - Parameter host: A name, or an address without brackets.
    /// - Returns: Its addresses as numbers, in the order in which they should be tried.
    /// - Throws: `HostResolverError` when there are none.
    func addresses(of host: String) async throws -> [String]
}

/// Why a name has no addresses.
public struct HostResolverError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, as a sentence's end.
    public let reason: String

    /// Makes an error of its reason.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// The reason.
    public var description: String { reason }
}

/// The resolver of the system: hosts file, DNS and whatever else it is configured for.
public struct SystemResolver: HostResolver {
    /// Makes a resolver.
    public init() {}

    /// Asks the system on a thread that may block, which neither an event loop nor a task should.
    public func addresses(of host: String) async throws -> [String] {
        try await NIOThreadPool.singleton.runIfActive { try AddressLookup.addresses(of: host) }
    }
}
