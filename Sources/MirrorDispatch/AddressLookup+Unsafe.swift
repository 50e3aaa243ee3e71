// Wingmirror · Apache-2.0

import Glibc

/// Calls the system's resolver.
enum AddressLookup {
    /// The addresses of a host as numbers, each once, in the system's order; blocks.
    ///
    /// The C functions are `getaddrinfo`, `getnameinfo` and `freeaddrinfo`.
    static func addresses(of host: String) throws(HostResolverError) -> [String] {
        var hints = unsafe addrinfo()
        // One kind of socket, or each address would be told once for every kind.
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else { throw HostResolverError(unsafe String(cString: gai_strerror(status))) }
        defer { unsafe freeaddrinfo(list) }

        var addresses: [String] = []
        var entry = unsafe list
        while let address = unsafe entry {
            if let text = unsafe number(address.pointee), !addresses.contains(text) { addresses.append(text) }
            unsafe entry = address.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw HostResolverError("no addresses") }
        return addresses
    }

    @unsafe
    private static func number(_ entry: addrinfo) -> String? {
        // NI_MAXHOST; the numbers need 64 octets at most. The call writes a terminated string into the buffer.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1025) { buffer in
            let status = unsafe getnameinfo(
                entry.ai_addr,
                entry.ai_addrlen,
                buffer.baseAddress,
                socklen_t(buffer.count),
                nil,
                0,
                NI_NUMERICHOST
            )
            return unsafe status == 0 ? buffer.baseAddress.map { unsafe String(cString: $0) } : nil
        }
    }
}
