// Wingmirror · Apache-2.0

import Glibc

/// Who this thread is to the file system (setfsuid(2), which headers for Swift leave out).
enum FileUser {
    /// Runs `body` as a user without rights, where the process is root, who may read everything.
    static func withoutRights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard geteuid() == 0, let symbol = unsafe dlsym(nil, "setfsuid") else { return try body() }
        // The function of the C library takes a user's number and gives the one before; both are 32 bits wide.
        let setUser = unsafe unsafeBitCast(symbol, to: (@convention(c) (uid_t) -> CInt).self)
        _ = setUser(65_534)
        defer { _ = setUser(0) }
        return try body()
    }
}
