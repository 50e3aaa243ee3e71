// Wingmirror · Apache-2.0
// Packet sockets: packet(7).

import CPcap
import Glibc

/// What the kernel's packet sockets can do and libpcap 1.10 does not ask of them.
enum PacketSocket {
    /// Has a socket on a loopback interface see each packet once, when it comes in.
    ///
    /// libpcap throws the copies that go out away, but only after they have taken room in the ring and were counted.
    /// Kernels before 4.20 refuse, and nothing but that room and the count is lost.
    ///
    /// The C function is `setsockopt` with `PACKET_IGNORE_OUTGOING`.
    static func ignoreOutgoing(_ socket: CInt) {
        var on: CInt = 1
        _ = unsafe setsockopt(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Has the kernel reject every packet before it is counted or put into the ring.
    ///
    /// Not by libpcap's `pcap_setfilter`, which would hold what is in the ring already against the new filter too.
    ///
    /// The C function is `setsockopt` with `SO_ATTACH_FILTER`.
    static func rejectAll(_ socket: CInt) {
        var instruction = sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0)
        unsafe withUnsafeMutablePointer(to: &instruction) { instruction in
            var program = unsafe sock_fprog(len: 1, filter: instruction)
            let size = unsafe socklen_t(MemoryLayout<sock_fprog>.size)
            _ = unsafe setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, size)
        }
    }

    /// Has the kernel hold packets that come from now on against another filter, in one step; `false` when it refuses.
    ///
    /// libpcap's instructions are laid out as the kernel's.
    ///
    /// The C function is `setsockopt` with `SO_ATTACH_FILTER`.
    static func attach(_ instructions: UnsafeMutablePointer<bpf_insn>?, _ count: CUnsignedInt, to socket: CInt) -> Bool
    {
        guard let instructions = unsafe instructions, let count = CUnsignedShort(exactly: count) else { return false }
        return unsafe instructions.withMemoryRebound(to: sock_filter.self, capacity: Int(count)) { filter in
            var program = unsafe sock_fprog(len: count, filter: filter)
            let size = unsafe socklen_t(MemoryLayout<sock_fprog>.size)
            return unsafe setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, size) == 0
        }
    }

    /// An error number of the system.
    struct Failure: Error {
        let code: CInt
    }

    /// Sockets among which the kernel divides the packets of an interface.
    struct Group: Sendable {
        let number: UInt16
        /// Whether packets that go out are not divided among them, nor counted.
        let ignoresOutgoing: Bool
    }

    /// Has a socket share the packets of its interface with the others of a group; `false` when the kernel refuses.
    ///
    /// The C function is `setsockopt` with `PACKET_FANOUT`.
    static func join(_ group: Group, _ socket: CInt) -> Bool {
        setGroup(group.number, group.ignoresOutgoing ? ignoreOutgoingFlag : 0, socket) == nil
    }

    /// Makes a group that has this socket only, with a number that no other has.
    ///
    /// The C functions are `setsockopt` and `getsockopt` with `PACKET_FANOUT`.
    static func foundGroup(_ socket: CInt, ignoresOutgoing: Bool) -> Result<Group, Failure> {
        let unique = CUnsignedInt(PACKET_FANOUT_FLAG_UNIQUEID)
        var ignoresOutgoing = ignoresOutgoing
        var error = setGroup(0, unique | (ignoresOutgoing ? ignoreOutgoingFlag : 0), socket)
        if error == EINVAL, ignoresOutgoing {
            ignoresOutgoing = false
            error = setGroup(0, unique, socket)
        }
        if let error { return .failure(Failure(code: error)) }
        var value: CUnsignedInt = 0
        var size = socklen_t(MemoryLayout<CUnsignedInt>.size)
        guard unsafe getsockopt(socket, SOL_PACKET, PACKET_FANOUT, &value, &size) == 0 else {
            return .failure(Failure(code: errno))
        }
        return .success(Group(number: UInt16(truncatingIfNeeded: value), ignoresOutgoing: ignoresOutgoing))
    }

    /// `PACKET_FANOUT_FLAG_IGNORE_OUTGOING`, which the headers of older kernels do not have.
    private static let ignoreOutgoingFlag: CUnsignedInt = 0x4000

    private static func setGroup(_ number: UInt16, _ flags: CUnsignedInt, _ socket: CInt) -> CInt? {
        // By flow, fragments put together first.
        let mode = CUnsignedInt(PACKET_FANOUT_HASH) | CUnsignedInt(PACKET_FANOUT_FLAG_DEFRAG) | flags
        var argument = CUnsignedInt(number) | mode << 16
        let size = socklen_t(MemoryLayout<CUnsignedInt>.size)
        return unsafe setsockopt(socket, SOL_PACKET, PACKET_FANOUT, &argument, size) == 0 ? nil : errno
    }

    /// The octets of a socket's ring that are mapped into this process; 0 when the system does not say.
    ///
    /// libpcap asks for less when the kernel has not got the memory, and does not tell.
    ///
    /// The C function is `fstat`, for the number by which `/proc/self/maps` knows the socket.
    static func ringOctets(_ socket: CInt) -> Int {
        var status = stat()
        guard unsafe fstat(socket, &status) == 0, let maps = SmallFile.read("/proc/self/maps") else {
            return 0
        }
        let name = "socket:[\(status.st_ino)]"
        return maps.split(separator: "\n").filter { $0.hasSuffix(name) }.reduce(0) { total, line in
            let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { Int($0, radix: 16) }
            return bounds.count == 2 ? total + bounds[1] - bounds[0] : total
        }
    }

    /// Whether an interface of that name leads back to this machine.
    static func isLoopback(_ interface: String) -> Bool {
        flags(of: interface).map { $0 & CInt(IFF_LOOPBACK) != 0 } ?? false
    }

    /// Whether an interface of that name is up; `nil` when there is none.
    static func isUp(_ interface: String) -> Bool? {
        // `any` is libpcap's name for all interfaces, and always there.
        interface == "any" ? true : flags(of: interface).map { $0 & CInt(IFF_UP) != 0 }
    }

    /// The C functions are `socket` and `ioctl` with `SIOCGIFFLAGS`.
    private static func flags(of interface: String) -> CInt? {
        let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            return nil
        }
        defer { close(descriptor) }
        var request = unsafe ifreq()
        let name = Array(interface.utf8.prefix(Int(IFNAMSIZ) - 1))
        unsafe withUnsafeMutableBytes(of: &request.ifr_ifrn.ifrn_name) { unsafe $0.copyBytes(from: name) }
        guard unsafe ioctl(descriptor, UInt(SIOCGIFFLAGS), &request) == 0 else {
            return nil
        }
        return unsafe CInt(UInt16(bitPattern: request.ifr_ifru.ifru_flags))
    }
}
