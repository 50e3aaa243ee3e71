// Wingmirror · Apache-2.0

import Glibc

/// The endpoints cannot be served.
public struct AdminServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong, in one line.
    public let description: String

    /// Says why the address cannot be listened on.
    init(_ address: AdminServer.Address, reason: String) {
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        description = "cannot listen on \(host):\(address.port): \(reason)"
    }

    /// Says why the address cannot be listened on, from the system's error number.
    init(_ address: AdminServer.Address, code: Int32) {
        let remedy = "choose another with --listen or metrics.listen"
        let reason =
            switch code {
            case EADDRINUSE: "the port is taken; \(remedy)"
            case EADDRNOTAVAIL: "this machine does not have the address; \(remedy)"
            case EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE; \(remedy)"
            default: "the system answers with error \(code)"
            }
        self.init(address, reason: reason)
    }
}
