// Wingmirror · Apache-2.0

import Glibc
import PacketCapture
import Testing

/// Not in Swift's Glibc module: a forked child has only the thread that forked.
@_silgen_name("fork")
private func fork() -> pid_t

/// Whether a thread may gain no privilege, and no capability is left that a program could give it.
private func isWithoutNewPrivileges(_ path: String) -> Bool {
    guard let file = unsafe fopen(path, "r") else { return false }
    defer { unsafe fclose(file) }
    var text = [CChar](repeating: 0, count: 16_384)
    let count = unsafe fread(&text, 1, text.count - 1, file)
    let status = String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return status.contains("NoNewPrivs:\t1") && status.contains("CapBnd:\t0000000000000000")
}

/// What becomes of a process that gives up root; each test is a process of its own.
@Suite(.enabled(if: geteuid() == 0, "only root has privileges to give up"), .timeLimit(.minutes(20)))
struct PrivilegeTests {
    @Test func `after becoming a user nothing of root is left`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            inSingleThread {
                try PrivilegeDrop.become(user: "nobody")
                return geteuid() != 0 && setuid(0) != 0 && seteuid(0) != 0 && !Capabilities.current.mayCapture
            }
        }
    }

    @Test func `other threads have given it up too`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            inSingleThread {
                let stop = StopFlag()
                let thread = try CaptureThread.start(name: "before") {
                    while !stop.isRequested {
                        usleep(1000)
                    }
                    if geteuid() == 0 || setuid(0) == 0 {
                        exit(2)
                    }
                }
                try PrivilegeDrop.become(user: "nobody")
                stop.request()
                thread.join()
                return true
            }
        }
    }

    @Test func `nothing can be gained again, by this thread or those that it starts`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            inSingleThread {
                PrivilegeDrop.forbidNewPrivileges()
                try PrivilegeDrop.become(user: "nobody")
                let thread = try CaptureThread.start(name: "after") {
                    if !isWithoutNewPrivileges("/proc/thread-self/status") { exit(2) }
                }
                thread.join()
                return isWithoutNewPrivileges("/proc/thread-self/status")
            }
        }
    }

    @Test func `a thread that cannot be reached is an error, not a hidden door`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            // Here the process's first thread is parked by libdispatch, out of glibc's reach.
            do throws(CaptureError) {
                try PrivilegeDrop.become(user: "nobody")
                exit(1)
            } catch {
                exit(error.code == .privilegesKept && error.sentence.contains("thread \(getpid())") ? 0 : 2)
            }
        }
    }

    @Test func `capturing without the capability names it, and the command that grants it`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            inSingleThread {
                try PrivilegeDrop.become(user: "nobody")
                let configuration = try LiveConfiguration(interfaces: ["lo"])
                do throws(CaptureError) {
                    _ = try LiveCapture(configuration, counters: CaptureCounters(interfaces: ["lo"])) { _ in }
                    return false
                } catch {
                    let words = ["CAP_NET_RAW", "sudo setcap cap_net_raw=ep /"]
                    return error.code == .missingPermission && words.allSatisfy { error.sentence.contains($0) }
                }
            }
        }
    }

    @Test(arguments: ["no-such-user", "root"])
    func `a user that does not exist, and root, are refused and change nothing`(user: String) {
        #expect {
            try PrivilegeDrop.become(user: user)
        } throws: { error in
            (error as? CaptureError)?.code == .invalidConfiguration
        }
        #expect(geteuid() == 0)
    }
}

/// Ends this process with 0 when `body` is true in a child of it whose only thread is an ordinary one.
private func inSingleThread(_ body: () throws -> Bool) -> Never {
    let child = fork()
    if child == 0 {
        exit((try? body()) == true ? 0 : 1)
    }
    var status: CInt = 0
    let isDone = unsafe child > 0 && waitpid(child, &status, 0) == child
    exit(isDone && status == 0 ? 0 : 3)
}
