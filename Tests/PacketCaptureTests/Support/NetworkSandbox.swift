// Wingmirror · Apache-2.0

import Glibc
import PacketCapture
import Synchronization
import Testing

/// Not in Swift's Glibc module, which leaves out what glibc keeps for Linux alone.
@_silgen_name("unshare")
private func unshare(_ flags: CInt) -> CInt

/// A network namespace of a test's own, on a thread of its own; it is gone when the thread has ended.
///
/// Threads and programs that are started there begin in the same namespace.
enum NetworkSandbox {
    private static let newNetwork: CInt = 0x4000_0000

    /// Whether this process may make one: it has to be root, with CAP_SYS_ADMIN, NET_ADMIN and NET_RAW.
    static let isAvailable = attempt()

    private static func attempt() -> Bool {
        guard Capabilities.current.mayCapture else {
            return false
        }
        let works = Outcome()
        let thread = try? CaptureThread.start(name: "sandbox") {
            works.value.store(prepare(), ordering: .releasing)
        }
        thread?.join()
        return works.value.load(ordering: .acquiring)
    }

    /// Runs a test in a namespace where `lo` is up, and `va` and `vb` are two ends of a cable.
    static func run(_ body: @escaping @Sendable () throws -> Void) throws {
        let failure = Failure()
        let thread = try CaptureThread.start(name: "sandbox") {
            do {
                guard prepare() else { throw Unavailable() }
                try body()
            } catch {
                failure.error.withLock { $0 = error }
            }
        }
        thread.join()
        if let error = failure.error.withLock({ $0 }) {
            throw error
        }
    }

    /// There was no namespace to be had.
    private struct Unavailable: Error {}

    /// Takes the calling thread into a new namespace.
    private static func prepare() -> Bool {
        guard unshare(newNetwork) == 0 else {
            return false
        }
        // An interface with IPv6 speaks by itself when it comes up, and tests count packets.
        for scope in ["all", "default"] {
            let setting = "/proc/sys/net/ipv6/conf/\(scope)/disable_ipv6"
            // A kernel without IPv6 has no such file, and in some containers nothing may be written there.
            guard unsafe access(setting, F_OK) == 0 else { continue }
            guard unsafe access(setting, W_OK) == 0 else { return false }
            TemporaryFolder.write([Array("1".utf8)], to: setting)
        }
        return ip("link set lo up") && addCable()
    }

    /// Adds the cable, and brings both ends up.
    static func addCable() -> Bool {
        ip("link add va type veth peer name vb") && ip("link set va up") && ip("link set vb up")
    }

    /// Runs the program `ip`.
    static func ip(_ arguments: String) -> Bool {
        let words = ["ip"] + arguments.split(separator: " ").map(String.init)
        // posix_spawnp takes C strings, an array that ends with nothing.
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer {
            while let pointer = unsafe pointers.popLast() {
                unsafe free(pointer)
            }
        }
        var child = pid_t()
        guard unsafe posix_spawnp(&child, "ip", nil, nil, &pointers, environ) == 0 else {
            return false
        }
        var status: CInt = 0
        return unsafe waitpid(child, &status, 0) == child && status == 0
    }

    /// Asks again and again whether something has come about, for five minutes at least: no time limit ends what blocks a thread,
    /// and a machine with much else to do lets seconds pass.
    static func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<300_000 {
            if condition() {
                return true
            }
            usleep(1000)
        }
        return false
    }

    private final class Outcome: Sendable {
        let value = Atomic<Bool>(false)
    }

    private final class Failure: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }
}

/// Sends frames as they are.
final class FrameSender {
    private let socket: CInt
    /// A `sockaddr_ll` (packet(7)), which Swift's Glibc module does not have: family, protocol, interface, the rest.
    private let address: (UInt16, UInt16, UInt32, UInt32, UInt64)

    /// Prepares to send on an interface of the calling thread's namespace, and waits until it carries frames: the
    /// kernel drops what is sent before it has noticed that the other end is up.
    init(_ interface: String) {
        let isRunning = NetworkSandbox.eventually {
            (try? NetworkInterface.all().contains { $0.name == interface && $0.isRunning }) == true
        }
        #expect(isRunning, "\(interface) does not come up")
        socket = Glibc.socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0)
        address = unsafe (UInt16(AF_PACKET), 0, if_nametoindex(interface), 0, 0)
        #expect(socket >= 0 && address.2 > 0, "\(interface) cannot be sent on")
    }

    deinit {
        close(socket)
    }

    /// Sends a frame; `false` when the interface does not take it.
    @discardableResult
    func send(_ frame: [UInt8]) -> Bool {
        unsafe withUnsafeBytes(of: address) { address in
            let target = unsafe address.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            // The structure has 20 octets; Swift's tuple ends with more, for the alignment of its last part.
            return unsafe sendto(socket, frame, frame.count, 0, target, 20) == frame.count
        }
    }
}
