// Wingmirror · Apache-2.0
// The files statm and status of a process: proc(5).

import AgentConfiguration
import CMalloc
import Glibc

/// What the system says of this process's memory.
enum ProcessMemory {
    /// Gives memory that was freed back to the system; takes milliseconds, for a thread that nothing waits for.
    ///
    /// The C function is `malloc_trim`: the allocator keeps what was freed otherwise, and the process would look as large as it
    /// once was.
    static func giveBack() {
        _ = malloc_trim(0)
    }

    /// Octets that are in memory now, pages of files and capture rings among them; `nil` where the system does not tell.
    static var residentOctets: Int? {
        guard let octets = try? FileContents.read("/proc/self/statm", limit: 4096) else { return nil }
        let fields = String(decoding: octets, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Octets of memory that count against a control group until they are freed; `nil` where the system does not tell.
    ///
    /// Pages of files, such as the program's, are dropped when memory is short, and the ring of a capture belongs to the kernel:
    /// both are resident and neither is counted.
    static var ownOctets: Int? {
        guard let octets = try? FileContents.read("/proc/self/status", limit: 1 << 16) else { return nil }
        return ownOctets(in: String(decoding: octets, as: UTF8.self))
    }

    /// Reads the text of `/proc/self/status`.
    static func ownOctets(in text: String) -> Int? {
        var sum: Int?
        for line in text.split(separator: "\n") {
            let fields = line.split { $0 == ":" || $0 == "\t" || $0 == " " }
            guard fields.count > 1, fields[0] == "RssAnon" || fields[0] == "RssShmem" else { continue }
            guard let kibibytes = Int(fields[1]) else { return nil }
            // What the kernel says fits by far; a file that says otherwise must not end the agent.
            sum = (sum ?? 0) &+ (kibibytes << 10)
        }
        return sum
    }
}
