// Wingmirror · Apache-2.0

import CPcap
import Glibc

/// Gives up root's privileges for good, once everything that needs them is open.
///
/// What is open stays open. An interface that comes back later cannot be opened again afterwards, unless the program
/// file itself carries CAP_NET_RAW; the capture then says so.
///
/// Each thread has an identity of its own on Linux. glibc changes that of all of them, except of a thread that is
/// ending, and such a thread the first one of a Swift program with an `async` main is for good: libdispatch parks it in
/// its own destructor. A program that is to give up root therefore needs a first thread that waits in the ordinary
/// way, under a `main` that is not `async`. Otherwise this fails, as a thread of root's would be left.
public enum PrivilegeDrop {
    /// Runs all threads of this process as another user from here on, without supplementary groups or capabilities.
    ///
    /// The C functions are `setgroups`, `setresgid` and `setresuid`, which glibc applies to every thread. Afterwards it
    /// is checked that neither the identity nor a capability is left, and that root cannot be had back.
    /// - Parameter user: The name of a user other than root.
    /// - Throws: `.invalidConfiguration` when there is no such user, `.privilegesKept` when something was refused or
    ///   left; the process should end then.
    public static func become(user: String) throws(CaptureError) {
        let (uid, gid) = try identity(of: user)
        guard uid != 0 else {
            throw CaptureError(.invalidConfiguration, "the user \(user) is root, as whom nothing would be given up")
        }
        // Groups first: without root they could not be changed any more.
        try check(setgroups(0, nil), "the supplementary groups", user)
        try check(setresgid(gid, gid, gid), "the group", user)
        try check(setresuid(uid, uid, uid), "the user", user)
        try verify(uid: uid, gid: gid, user: user)
    }

    /// Lets no thread of this process, and no program that it starts, gain a privilege from here on: what it has stays.
    ///
    /// Both settings are a thread's own and inherited by those that it starts, so this is called before there are others. As
    /// nothing here starts programs, neither is missed; a fault that made it start one would find no way to root.
    ///
    /// The C function is `prctl`, with `PR_SET_NO_NEW_PRIVS` and `PR_CAPBSET_DROP`; the second needs root, and is left out
    /// without.
    public static func forbidNewPrivileges() {
        _ = wingmirror_prctl(PR_SET_NO_NEW_PRIVS, 1)
        guard geteuid() == 0 else { return }
        var capability: UInt = 0
        // The system refuses the first number that is no capability.
        while wingmirror_prctl(PR_CAPBSET_READ, capability) >= 0 {
            _ = wingmirror_prctl(PR_CAPBSET_DROP, capability)
            capability += 1
        }
    }

    private static func check(_ result: CInt, _ what: String, _ user: String) throws(CaptureError) {
        let error = errno
        guard result == 0 else {
            throw CaptureError(
                .privilegesKept,
                "\(what) could not be changed to become \(user)",
                cause: systemMessage(error)
            )
        }
    }

    /// The C functions are `getresuid`, `getresgid`, `getgroups` and `setuid`.
    private static func verify(uid: uid_t, gid: gid_t, user: String) throws(CaptureError) {
        var users: (uid_t, uid_t, uid_t) = (0, 0, 0)
        var groups: (gid_t, gid_t, gid_t) = (0, 0, 0)
        unsafe getresuid(&users.0, &users.1, &users.2)
        unsafe getresgid(&groups.0, &groups.1, &groups.2)
        let hasIdentity = users == (uid, uid, uid) && groups == (gid, gid, gid) && getgroups(0, nil) == 0
        guard hasIdentity, setuid(0) != 0 else {
            throw CaptureError(.privilegesKept, "root's privileges are still there after becoming \(user)")
        }
        if let thread = privilegedThread {
            throw CaptureError(.privilegesKept, "thread \(thread) still has privileges after becoming \(user)")
        }
    }

    /// A thread that has a capability, or does not say.
    private static var privilegedThread: String? {
        SmallFile.names(in: "/proc/self/task").first { thread in
            // A thread that has ended since it was listed has no file, and one that has not been waited for is a
            // zombie (Z): neither can do anything any more.
            guard let status = SmallFile.read("/proc/self/task/\(thread)/status"), !status.contains("\nState:\tZ")
            else {
                return false
            }
            let capabilities = Capabilities(status: status, isRoot: false)
            return capabilities?.effective != 0 || capabilities?.permitted != 0
        }
    }

    /// Whether this machine has the user.
    public static func isKnown(_ user: String) -> Bool { (try? identity(of: user)) != nil }

    /// The C function is `getpwnam_r`.
    private static func identity(of user: String) throws(CaptureError) -> (uid_t, gid_t) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let result = unsafe getpwnam_r(user, &entry, &buffer, buffer.count, &found)
        guard unsafe found != nil else {
            let cause = result == 0 ? nil : systemMessage(result)
            throw CaptureError(.invalidConfiguration, "there is no user \(user) to run as", cause: cause)
        }
        return unsafe (entry.pw_uid, entry.pw_gid)
    }
}
