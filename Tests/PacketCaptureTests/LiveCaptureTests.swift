// Wingmirror · Apache-2.0

import Glibc
import PacketCapture
import PacketDecoding
import Synchronization
import Testing

/// Captures with the kernel's own packet sockets, each test in a network namespace of its own.
@Suite(
    .enabled(if: NetworkSandbox.isAvailable, "needs root's capabilities to make network namespaces"),
    .timeLimit(.minutes(20))
)
struct LiveCaptureTests {
    private static let frame = TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8080)))
    private static let filter = CaptureFilter(ports: [8080])

    @Test func `packets on an interface are delivered promptly, and the ring that was obtained is known`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[0].packetsReceived == 1 })
            #expect(capture.counters.interfaces[0].ringOctets == 8 << 20)
            #expect(capture.counters.interfaces[0].isUp)
            let result = capture.stop()
            #expect(result.frames == [Self.frame])
            #expect(result.packets.map(\.linkType) == [.ethernet])
            #expect(!capture.counters.interfaces[0].isUp)
        }
    }

    // How long a stop takes is a matter of LiveLoopTests, whose clock is turned by hand.
    @Test func `what was sent just before the stop is delivered`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            let sender = FrameSender("va")
            for _ in 0..<100 {
                sender.send(Self.frame)
            }
            let result = capture.stop()
            #expect(result.frames.count == 100)
        }
    }

    @Test func `every packet is delivered or counted as dropped when the ring is too small`() throws {
        try NetworkSandbox.run {
            // One block of 256 KiB: the kernel drops what comes while it is being read.
            let capture = try RunningCapture(["vb"], filter: Self.filter, ringOctets: 1, isSlow: true)
            #expect(capture.counters.interfaces[0].ringOctets == 256 << 10)
            let sender = FrameSender("va")
            let frame = Self.frame + [UInt8](repeating: 0, count: 1400)
            var sent = 0
            for _ in 0..<20_000 where sender.send(frame) {
                sent += 1
            }
            let result = capture.stop()
            let counters = capture.counters.interfaces[0]
            #expect(counters.packetsReceived == UInt64(result.frames.count))
            #expect(counters.packetsDroppedByKernelBuffer > 0)
            #expect(counters.packetsReceived + counters.packetsDroppedByKernelBuffer == UInt64(sent))
        }
    }

    @Test func `on the loopback interface each packet is captured and counted once`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["lo"], filter: Self.filter)
            let sender = FrameSender("lo")
            for _ in 0..<50 {
                sender.send(Self.frame)
            }
            let result = capture.stop()
            #expect(result.frames.count == 50)
            #expect(capture.counters.interfaces[0].packetsDroppedByKernelBuffer == 0)
        }
    }

    @Test func `all interfaces at once come as Linux cooked frames of version 2`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["any"], filter: Self.filter)
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[0].packetsReceived >= 1 })
            let result = capture.stop()
            // Once as it leaves `va`, once as it comes in on `vb`.
            #expect(result.packets.map(\.linkType) == [.linuxCooked2, .linuxCooked2])
            #expect(result.frames.allSatisfy { $0.dropFirst(20) == Self.frame.dropFirst(14) })
        }
    }

    @Test func `several interfaces are captured on by one thread`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb", "lo"], filter: Self.filter)
            FrameSender("va").send(Self.frame)
            FrameSender("lo").send(Self.frame)
            #expect(NetworkSandbox.eventually { capture.counters.interfaces.allSatisfy { $0.packetsReceived == 1 } })
            #expect(Set(capture.stop().packets.map(\.interface)) == [0, 1])
        }
    }

    @Test(arguments: ["vb", "lo", "any"])
    func `workers that share an interface get each packet once, and both directions of a connection`(
        interface: String
    ) throws {
        try NetworkSandbox.run {
            let workers = try SharingWorkers(3, on: interface, filter: Self.filter)
            let sender = FrameSender(interface == "lo" ? "lo" : "va")
            let (client, gateway) = (TestFrame.client, TestFrame.gateway)
            for port in UInt16(40_000)..<40_060 {
                sender.send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(from: port, to: 8080))))
                let answer = TestFrame.tcp(from: 8080, to: port)
                sender.send(TestFrame.ethernet(TestFrame.ipv4(answer, to: client, from: gateway)))
            }
            // On `any` each is seen twice: as it leaves and as it comes in.
            let expected = interface == "any" ? 240 : 120
            #expect(NetworkSandbox.eventually { workers.counters.interfaces[0].packetsReceived >= UInt64(expected) })
            let counters = workers.counters.interfaces[0]
            #expect(counters.isUp)
            let parts = workers.stop()
            #expect(parts.reduce(0) { $0 + $1.count } == expected)
            #expect(parts.allSatisfy { !$0.isEmpty })
            let clients = parts.map { frames in Set(frames.map(TestFrame.clientPort)) }
            for (number, ports) in clients.enumerated() {
                for others in clients.dropFirst(number + 1) { #expect(ports.isDisjoint(with: others)) }
            }
            for (frames, ports) in zip(parts, clients) {
                #expect(frames.count == ports.count * expected / 60)
            }
            #expect(counters.packetsReceived == UInt64(expected))
            #expect(counters.packetsDroppedByKernelBuffer == 0)
            #expect(!counters.isUp)
            #expect(counters.ringOctets == 0)
        }
    }

    @Test func `workers take up other interfaces, each of them`() throws {
        try NetworkSandbox.run {
            let workers = try SharingWorkers(2, on: "lo", filter: Self.filter)
            try workers.control.change(to: ["vb"], filter: Self.filter)
            #expect(NetworkSandbox.eventually { workers.counters.interfaces.last?.ringOctets == 8 << 20 })
            let sender = FrameSender("va")
            for port in UInt16(40_000)..<40_060 {
                sender.send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(from: port, to: 8080))))
            }
            #expect(NetworkSandbox.eventually { workers.counters.interfaces.last?.packetsReceived == 60 })
            #expect(workers.stop().allSatisfy { !$0.isEmpty })
        }
    }

    @Test func `a tag that the kernel takes out of the frame passes the filter and is put back`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            let sender = FrameSender("va")
            let packet = TestFrame.ipv4(TestFrame.tcp(to: 8080))
            let tagged = TestFrame.ethernet(packet, tags: [0x8100])
            let twice = TestFrame.ethernet(packet, tags: [0x88A8, 0x8100])
            // The kernel takes the outer tag of whatever comes in, before packet sockets see it.
            sender.send(tagged)
            sender.send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 8081)), tags: [0x8100]))
            sender.send(twice)
            sender.send(Self.frame)
            #expect(capture.stop().frames == [tagged, twice, Self.frame])
        }
    }

    @Test func `own connections are not captured`() throws {
        try NetworkSandbox.run {
            let filter = CaptureFilter(ports: [8080, 9646], ownEndpoints: [.init(port: 9646)])
            let capture = try RunningCapture(["vb"], filter: filter)
            let sender = FrameSender("va")
            sender.send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 9646))))
            sender.send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(from: 9646, to: 8080))))
            sender.send(Self.frame)
            #expect(capture.stop().frames == [Self.frame])
        }
    }

    @Test func `packets are cut at the snapshot length, and say how long they were`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter, snapshotLength: 64)
            FrameSender("va").send(Self.frame + [UInt8](repeating: 0, count: 100))
            let result = capture.stop()
            #expect(result.frames.map(\.count) == [64])
            #expect(result.packets.map(\.wireLength) == [154])
        }
    }

    @Test func `a filter that is changed takes effect, and nothing that both let through is lost`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            // Frames that both filters let through come all the time, also while the filter is exchanged.
            let stream = FrameStream("va", Self.frame)
            let other = TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 9090)))
            stream.sender.send(other)
            #expect(stream.send { capture.counters.interfaces[0].packetsReceived > 0 })
            try capture.control.change(to: ["vb"], filter: CaptureFilter(ports: [8080, 9090]))
            #expect(stream.send { capture.events.contains(.filterChanged(interface: "vb")) })
            stream.sender.send(other)
            let result = capture.stop()
            #expect(result.frames.count { $0 == Self.frame } == stream.sent)
            #expect(result.frames.count { $0 == other } == 1)
            #expect(capture.counters.interfaces[0].packetsDroppedByKernelBuffer == 0)
        }
    }

    @Test func `a filter that is changed before the first packet takes effect from the first packet on`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            try capture.control.change(to: ["vb"], filter: CaptureFilter(ports: [9090]))
            #expect(NetworkSandbox.eventually { capture.events.contains(.filterChanged(interface: "vb")) })
            let sender = FrameSender("va")
            let other = TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 9090)))
            sender.send(Self.frame)
            sender.send(other)
            #expect(capture.stop().frames == [other])
        }
    }

    @Test func `on all interfaces at once a changed filter takes effect too`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["any"], filter: Self.filter)
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[0].packetsReceived == 2 })
            try capture.control.change(to: ["any"], filter: CaptureFilter(ports: [9090]))
            #expect(NetworkSandbox.eventually { capture.events.contains(.filterChanged(interface: "any")) })
            FrameSender("va").send(Self.frame)
            FrameSender("va").send(TestFrame.ethernet(TestFrame.ipv4(TestFrame.tcp(to: 9090))))
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[0].packetsReceived == 4 })
            #expect(capture.stop().frames.count == 4)
        }
    }

    @Test func `interfaces that come and go while another stays lose nothing of it`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            let (cable, loopback) = (FrameStream("va", Self.frame), FrameSender("lo"))
            loopback.send(Self.frame)
            try capture.control.change(to: ["vb", "lo"], filter: Self.filter)
            #expect(cable.send { capture.openings(of: "lo") == 1 })
            loopback.send(Self.frame)
            #expect(cable.send { capture.counters.interfaces[1].packetsReceived == 1 })
            // What is in the ring of an interface that goes is delivered.
            loopback.send(Self.frame)
            try capture.control.change(to: ["vb"], filter: Self.filter)
            #expect(cable.send { capture.events.contains(.closed(interface: "lo")) })
            loopback.send(Self.frame)
            try capture.control.change(to: ["vb", "lo"], filter: Self.filter)
            #expect(cable.send { capture.openings(of: "lo") == 2 })
            loopback.send(Self.frame)
            #expect(cable.send { capture.counters.interfaces[1].packetsReceived == 3 })
            let result = capture.stop()
            #expect(result.packets.count { $0.interface == 0 } == cable.sent)
            #expect(result.packets.count { $0.interface == 1 } == 3)
            #expect(capture.counters.interfaces.map(\.name) == ["vb", "lo"])
            #expect(capture.counters.interfaces.allSatisfy { $0.packetsDroppedByKernelBuffer == 0 })
        }
    }

    @Test func `an interface that is deleted and made again is captured on again`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            let counters = capture.counters.interfaces[0]
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { counters.packetsReceived == 1 })
            #expect(NetworkSandbox.ip("link del vb"))
            #expect(NetworkSandbox.eventually { !counters.isUp })
            #expect(NetworkSandbox.addCable())
            #expect(NetworkSandbox.eventually { counters.isUp })
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { counters.packetsReceived == 2 })
            #expect(counters.restarts(.disappeared) == 1)
            let result = capture.stop()
            #expect(result.frames.count == 2)
            #expect(
                result.events.contains {
                    if case .lost("vb", let error) = $0 { error.code == .noSuchInterface } else { false }
                }
            )
        }
    }

    @Test func `an interface that is taken down and up is reported and goes on`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb"], filter: Self.filter)
            let counters = capture.counters.interfaces[0]
            #expect(NetworkSandbox.ip("link set vb down"))
            #expect(NetworkSandbox.eventually { !counters.isUp })
            #expect(NetworkSandbox.ip("link set vb up"))
            #expect(NetworkSandbox.eventually { counters.isUp })
            FrameSender("va").send(Self.frame)
            #expect(NetworkSandbox.eventually { counters.packetsReceived == 1 })
            #expect(counters.restarts(.wentDown) == 1)
            _ = capture.stop()
        }
    }

    @Test func `an interface that is missing at first is waited for`() throws {
        try NetworkSandbox.run {
            let capture = try RunningCapture(["vb", "later"], filter: Self.filter)
            #expect(NetworkSandbox.ip("link add later type veth peer name other"))
            #expect(NetworkSandbox.ip("link set later up"))
            #expect(NetworkSandbox.ip("link set other up"))
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[1].isUp })
            FrameSender("other").send(Self.frame)
            #expect(NetworkSandbox.eventually { capture.counters.interfaces[1].packetsReceived == 1 })
            #expect(capture.counters.interfaces[1].restarts(.unavailable) == 1)
            #expect(capture.stop().packets.map(\.interface) == [1])
        }
    }

    @Test func `a filter that the interface's link type does not allow ends the capture before it begins`() throws {
        try NetworkSandbox.run {
            #expect {
                _ = try RunningCapture(["any"], filter: CaptureFilter(expression: "vlan and tcp"))
            } throws: { error in
                (error as? CaptureError)?.code == .invalidFilter
            }
        }
    }
}

/// Frames that are sent again and again while something is waited for.
private final class FrameStream {
    let sender: FrameSender
    private let frame: [UInt8]
    private(set) var sent = 0

    init(_ interface: String, _ frame: [UInt8]) {
        sender = FrameSender(interface)
        self.frame = frame
    }

    /// Sends a frame before each look; `false` when the condition does not come about.
    func send(until condition: () -> Bool) -> Bool {
        NetworkSandbox.eventually {
            sent += sender.send(frame) ? 1 : 0
            return condition()
        }
    }
}

/// A live capture on a thread of its own that keeps what it sees.
private final class RunningCapture {
    let counters: CaptureCounters
    let control: CaptureControl
    private let stopFlag = StopFlag()
    private let shared = Shared()
    private let thread: CaptureThread

    /// What the capture thread leaves for the test.
    private final class Shared: Sendable {
        let result = Mutex(Result())
        let failure = Mutex<CaptureError?>(nil)
        let isOpen = Atomic<Bool>(false)
    }

    struct Result {
        var packets: [CapturedPacket] = []
        var frames: [[UInt8]] = []
        var events: [CaptureEvent] = []
    }

    /// Starts a capture in the calling thread's namespace and waits until it is open.
    init(
        _ interfaces: [String],
        filter: CaptureFilter,
        ringOctets: Int = 8 << 20,
        snapshotLength: Int = LiveConfiguration.defaultSnapshotLength,
        isSlow: Bool = false
    ) throws {
        let configuration = try LiveConfiguration(
            interfaces: interfaces,
            filter: filter,
            snapshotLength: snapshotLength,
            ringOctets: ringOctets
        )
        let counters = CaptureCounters(interfaces: interfaces)
        let (shared, stopFlag) = (shared, stopFlag)
        self.counters = counters
        let control = CaptureControl(counters: counters)
        self.control = control
        thread = try CaptureThread.start(name: "capture") {
            do throws(CaptureError) {
                var capture = try LiveCapture(configuration, counters: counters, control: control) { event in
                    shared.result.withLock { $0.events.append(event) }
                }
                shared.isOpen.store(true, ordering: .releasing)
                var sink = Sink(isSlow: isSlow)
                capture.run(into: &sink, until: stopFlag)
                let (packets, frames) = (sink.packets, sink.frames)
                shared.result.withLock { ($0.packets, $0.frames) = (packets, frames) }
            } catch {
                shared.failure.withLock { $0 = error }
                shared.isOpen.store(true, ordering: .releasing)
            }
        }
        #expect(NetworkSandbox.eventually { shared.isOpen.load(ordering: .acquiring) })
        if let failure = shared.failure.withLock({ $0 }) {
            thread.join()
            throw failure
        }
    }

    /// How often an interface was opened so far.
    func openings(of name: String) -> Int {
        events.count { event in
            if case .opened(interface: name, _, _) = event { true } else { false }
        }
    }

    /// What has happened so far.
    var events: [CaptureEvent] { shared.result.withLock { $0.events } }

    /// Stops the capture and gives what came of it.
    func stop() -> Result {
        stopFlag.request()
        thread.join()
        return shared.result.withLock { $0 }
    }

    private struct Sink: CaptureSink {
        let isSlow: Bool
        var packets: [CapturedPacket] = []
        var frames: [[UInt8]] = []

        mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
            packets.append(packet)
            frames.append(Reading.copy(octets))
            if isSlow, packets.count % 16 == 0 {
                usleep(500)
            }
        }

        mutating func batchEnded() {}

        mutating func timePassed(now: PacketTime) {}
    }
}

/// Several workers that share an interface, each on a thread of its own.
private final class SharingWorkers {
    let counters: CaptureCounters
    let control: CaptureControl
    private let stopFlag = StopFlag()
    private var threads: [CaptureThread] = []
    private let parts: Parts

    private final class Parts: Sendable {
        let frames: Mutex<[[[UInt8]]]>
        let open = Atomic<Int>(0)
        let failure = Mutex<CaptureError?>(nil)

        init(_ count: Int) {
            frames = Mutex([[[UInt8]]](repeating: [], count: count))
        }
    }

    /// Starts the workers in the calling thread's namespace and waits until all of them are open.
    init(_ count: Int, on interface: String, filter: CaptureFilter) throws {
        let configuration = try LiveConfiguration(
            interfaces: [interface],
            filter: filter,
            ringOctets: 8 << 20,
            workers: count
        )
        let counters = CaptureCounters(interfaces: [interface])
        let control = CaptureControl(counters: counters)
        let (parts, stopFlag) = (Parts(count), stopFlag)
        (self.counters, self.control, self.parts) = (counters, control, parts)
        for (worker, share) in CaptureShare.shares(among: count).enumerated() {
            let thread = try CaptureThread.start(name: "capture-\(worker)") {
                do throws(CaptureError) {
                    var capture = try LiveCapture(configuration, counters: counters, control: control, share: share) {
                        if case .unavailable(_, let error) = $0 { parts.failure.withLock { $0 = error } }
                    }
                    parts.open.add(1, ordering: .releasing)
                    var sink = FrameSink()
                    capture.run(into: &sink, until: stopFlag)
                    let frames = sink.frames
                    parts.frames.withLock { $0[worker] = frames }
                } catch {
                    parts.failure.withLock { $0 = error }
                    parts.open.add(1, ordering: .releasing)
                }
            }
            threads.append(thread)
        }
        #expect(NetworkSandbox.eventually { parts.open.load(ordering: .acquiring) == count })
        #expect(parts.failure.withLock { $0 } == nil)
    }

    /// Stops the workers and gives the frames of each.
    func stop() -> [[[UInt8]]] {
        stopFlag.request()
        for thread in threads { thread.join() }
        return parts.frames.withLock { $0 }
    }

    private struct FrameSink: CaptureSink {
        var frames: [[UInt8]] = []

        mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
            frames.append(Reading.copy(octets))
        }

        mutating func batchEnded() {}

        mutating func timePassed(now: PacketTime) {}
    }
}
