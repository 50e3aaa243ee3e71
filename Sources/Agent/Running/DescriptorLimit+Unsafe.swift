// Wingmirror · Apache-2.0

import Glibc

/// How many files and sockets the agent may have open.
enum DescriptorLimit {
    /// The most that is asked for; what is beyond is of no use to an agent.
    private static let most: rlim_t = 65_536

    /// Raises the soft limit as far as the hard one allows: many targets need many sockets, and 1,024 is the usual soft limit.
    static func raise() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        // The structure outlives the calls.
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, most)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        // What is refused stays as it was; the metric of descriptors shows it.
        _ = unsafe setrlimit(resource, &limit)
    }
}
