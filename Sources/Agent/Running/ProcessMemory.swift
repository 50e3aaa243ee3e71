// Wingmirror · Apache-2.0
// The file statm of a process: proc(5).

import AgentConfiguration
import Glibc

/// What the system says of this process's memory.
enum ProcessMemory {
    /// Octets that are in memory now; `nil` where the system does not tell.
    static var residentOctets: Int? {
        guard let octets = try? FileContents.read("/proc/self/statm", limit: 4096) else { return nil }
        let fields = String(decoding: octets, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
