// Wingmirror · Apache-2.0

import Glibc

/// Another program that reads the same savefile, for as long as it takes from its start to its end.
struct ProgramWorkload: Workload {
    let label: String
    let items: Int
    let octets: Int
    private let path: String
    private let arguments: [String]

    /// What runs `program` of a system folder; nil where it is not installed.
    ///
    /// A run that ends without an error is taken to have read all `items` packets.
    init?(_ label: String, _ program: String, _ arguments: [String], items: Int, octets: Int) {
        let folders = ["/usr/bin", "/usr/sbin", "/usr/local/bin"]
        let paths = folders.map { "\($0)/\(program)" }
        // The text lives through the call, which reads it.
        guard let path = paths.first(where: { unsafe access($0, X_OK) == 0 }) else { return nil }
        self.label = label
        self.items = items
        self.octets = octets
        self.path = path
        self.arguments = [program] + arguments
    }

    /// Starts the program, with its output to /dev/null, and waits for its end.
    ///
    /// The C functions are `posix_spawn` and `waitpid`; the time of a child that was waited for counts as ours.
    func run() throws -> Int {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        // The copies and the list of them live until the child has been made, which has its own.
        var list: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe list.indices { unsafe free(list[index]) } }
        var child = pid_t()
        let failure = unsafe posix_spawn(&child, path, &actions, nil, &list, environ)
        guard failure == 0 else { throw BenchmarkFailure("\(path) cannot be started (error \(failure))") }
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            guard errno == EINTR else { throw BenchmarkFailure("\(path) cannot be waited for (error \(errno))") }
        }
        guard status == 0 else { throw BenchmarkFailure("\(path) failed (wait status \(status))") }
        return items
    }
}
