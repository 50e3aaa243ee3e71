// Wingmirror · Apache-2.0
// Sharing packet sockets: packet(7), PACKET_FANOUT.

import Synchronization

/// One worker's part of the packets that several workers capture on the same interfaces.
///
/// The kernel gives each packet to one of them, by a hash of the addresses and ports that is the same for both directions
/// of a connection; fragments are put together first. Only the outermost headers count, so that connections inside of
/// tunnels, whose outer ports differ by direction, may be split.
public struct CaptureShare: Sendable {
    private let groups: CaptureGroups
    /// The number of the worker, from 0.
    public let worker: Int

    /// The shares of all workers.
    ///
    /// - Parameter workers: How many there are, 1 to 256.
    /// - Returns: A share for each, in the order of their numbers; none for a single worker, which shares nothing.
    public static func shares(among workers: Int) -> [CaptureShare?] {
        guard workers > 1 else { return [nil] }
        let groups = CaptureGroups(workers: workers)
        return (0..<workers).map { CaptureShare(groups: groups, worker: $0) }
    }

    /// How many workers there are.
    var workers: Int { groups.workers }

    /// Whether this worker counts what concerns an interface as a whole.
    var isLeading: Bool { worker == 0 }

    /// Has a socket take part in an interface's packets.
    ///
    /// - Returns: Whether what goes out on a loopback interface is counted too, though libpcap leaves it out: older kernels do.
    /// - Throws: `.captureFailed` when the kernel refuses.
    func join(_ socket: CInt, on interface: String) throws(CaptureError) -> Bool {
        try groups.join(socket, on: interface)
    }
}

/// The kernel's groups of sockets, by interface.
private final class CaptureGroups: Sendable {
    let workers: Int
    private let groups = Mutex<[String: PacketSocket.Group]>([:])

    init(workers: Int) {
        self.workers = workers
    }

    func join(_ socket: CInt, on interface: String) throws(CaptureError) -> Bool {
        let isLoopback = PacketSocket.isLoopback(interface)
        let joined: Result<PacketSocket.Group, PacketSocket.Failure> = groups.withLock { groups in
            // A group goes with its last socket, and one that was left on an interface of the same name is none of this.
            if let known = groups[interface], PacketSocket.join(known, socket) { return .success(known) }
            let founded = PacketSocket.foundGroup(socket, ignoresOutgoing: isLoopback)
            if case .success(let group) = founded { groups[interface] = group }
            return founded
        }
        switch joined {
        case .success(let group): return isLoopback && !group.ignoresOutgoing
        case .failure(let error):
            throw CaptureError(
                .captureFailed,
                "\(interface) cannot be shared by \(workers) workers; set capture.workers to 1",
                cause: systemMessage(error.code)
            )
        }
    }
}
