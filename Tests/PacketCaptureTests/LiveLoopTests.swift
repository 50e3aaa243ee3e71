// Wingmirror · Apache-2.0

import PacketDecoding
import Synchronization
import Testing

@testable import PacketCapture

@Suite(.timeLimit(.minutes(20)))
struct LiveLoopTests {
    // MARK: Interfaces that come and go

    @Test func `an interface that is missing is tried again, sooner first, and reported once`() throws {
        let world = FakeWorld(interfaces: ["eth9": []])
        world.stopTime = .seconds(8)
        _ = try world.run()
        let waits = zip(world.openings, world.openings.dropFirst()).map { $1 - $0 }
        #expect(
            waits.prefix(6) == [
                .milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800), .milliseconds(1600),
                .seconds(2),
            ]
        )
        #expect(world.events == [.unavailable(interface: "eth9", error: FakeWorld.missing)])
        #expect(!world.counters.interfaces[0].isUp)
    }

    @Test func `an interface that appears later is captured on, and counted as opened again`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([.packets(3)])]])
        world.appearance = .milliseconds(500)
        let sink = try world.run()
        #expect(sink.packets == 3)
        #expect(world.counters.interfaces[0].restarts(.unavailable) == 1)
        #expect(world.events.last == .opened(interface: "eth0", ringOctets: 1 << 20, linkType: .ethernet))
    }

    @Test func `an interface that disappears is opened again, and its counters go on`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [.packets(3), .failed],
                    statistics: LiveStatistics(received: 9, dropped: 4, droppedByInterface: 2)
                ),
                FakeHandle.Script(
                    [.packets(2)],
                    statistics: LiveStatistics(received: 3, dropped: 1, droppedByInterface: 5)
                ),
            ]
        ])
        let sink = try world.run()
        #expect(sink.packets == 5)
        let counters = world.counters.interfaces[0]
        #expect(counters.packetsReceived == 5)
        // Of nine, three were delivered; four had found the ring full and two went with it. Then one more.
        #expect(counters.packetsDroppedByKernelBuffer == 6 + 1)
        #expect(counters.packetsDroppedByInterface == 2 + 5)
        #expect(counters.restarts(.failed) == 1)
        #expect(world.events.count == 3)
        #expect(
            world.events[1]
                == .lost(
                    interface: "eth0",
                    error: CaptureError(.captureFailed, "eth0 can be read no more", cause: "broken")
                )
        )
    }

    @Test func `an interface that is gone is told from one that cannot be read`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([.failed]), FakeHandle.Script([])]])
        world.isUp = nil
        _ = try world.run()
        #expect(world.counters.interfaces[0].restarts(.disappeared) == 1)
        #expect(
            world.events[1]
                == .lost(interface: "eth0", error: CaptureError(.noSuchInterface, "the interface eth0 disappeared"))
        )
    }

    @Test func `an interface that is taken down and up again is reported, and not opened again`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([])]])
        world.stopTime = .seconds(6)
        world.downtime = .seconds(2) ..< .seconds(4)
        _ = try world.run()
        #expect(world.openings.count == 1)
        #expect(world.events.dropFirst() == [.wentDown(interface: "eth0"), .cameUp(interface: "eth0")])
        #expect(world.counters.interfaces[0].restarts(.wentDown) == 1)
    }

    @Test func `a missing permission ends the capture before it begins`() {
        let world = FakeWorld(interfaces: ["eth0": []])
        world.openingError = CaptureError(.missingPermission, "no")
        #expect { _ = try world.run() } throws: { ($0 as? CaptureError)?.code == .missingPermission }
    }

    // MARK: Changes while it runs

    @Test func `an interface that is not wanted any more delivers what its ring holds, and is closed`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [.packets(1)],
                    afterStop: [.packets(2)],
                    statistics: LiveStatistics(received: 3, dropped: 0, droppedByInterface: 0)
                )
            ],
            "eth1": [FakeHandle.Script([.packets(1), .packets(1), .packets(1), .packets(1)])],
        ])
        try world.control.change(to: ["eth1"], filter: CaptureFilter())
        let sink = try world.run()
        #expect(sink.interfaces == [0, 1, 0, 0, 1, 1, 1])
        #expect(world.counters.interfaces[0].packetsDroppedByKernelBuffer == 0)
        #expect(!world.counters.interfaces[0].isUp)
        #expect(world.events.last == .closed(interface: "eth0"))
    }

    @Test func `an interface that is added has the next number, and is tried again when it is missing`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([.packets(1)])]])
        try world.control.change(to: ["eth0", "eth7"], filter: CaptureFilter())
        world.stopTime = .milliseconds(250)
        _ = try world.run()
        #expect(world.counters.interfaces.map(\.name) == ["eth0", "eth7"])
        #expect(world.events.dropFirst() == [.unavailable(interface: "eth7", error: FakeWorld.missing)])
        // Once for `eth0`, then twice for the one that is missing.
        #expect(world.openings.count == 3)
    }

    @Test func `of two changes that wait the last one counts`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([])]])
        try world.control.change(to: ["eth0", "eth7"], filter: CaptureFilter())
        try world.control.change(to: ["eth0"], filter: CaptureFilter(ports: [80]))
        _ = try world.run()
        #expect(world.openings.count == 1)
        #expect(world.events.last == .filterChanged(interface: "eth0"))
    }

    @Test func `an interface that is not wanted any more keeps its place, and is told from one that is down`() throws {
        let counters = CaptureCounters(interfaces: ["veth1", "veth2"])
        let control = CaptureControl(counters: counters)
        try control.change(to: ["veth2", "veth3"], filter: CaptureFilter())
        #expect(counters.interfaces.map(\.name) == ["veth1", "veth2", "veth3"])
        #expect(counters.interfaces.map(\.isWanted) == [false, true, true])
        try control.change(to: ["veth1"], filter: CaptureFilter())
        #expect(counters.interfaces.map(\.isWanted) == [true, false, false])
    }

    @Test func `a change that makes no sense is refused before the capture hears of it`() {
        let control = CaptureControl(counters: CaptureCounters(interfaces: ["eth0"]))
        #expect { try control.change(to: [], filter: CaptureFilter()) } throws: {
            ($0 as? CaptureError)?.code == .invalidConfiguration
        }
        #expect { try control.change(to: ["eth0"], filter: CaptureFilter(expression: "tcp prot 80")) } throws: {
            ($0 as? CaptureError)?.code == .invalidFilter
        }
        var seen = 0
        #expect(control.take(after: &seen) == nil)
    }

    // MARK: Packets and totals

    @Test func `others are shown what came at the end of a batch`() throws {
        let many = [FakeHandle.Delivery](repeating: .packets(512), count: 4)
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script(many)]])
        #expect(try world.run().batches == 2)
    }

    @Test func `packets that take long show progress all the same, and leave other interfaces their turn`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [FakeHandle.Script([.ring(1024)])], "eth1": [FakeHandle.Script([.ring(1024)])],
        ])
        world.packetDuration = .milliseconds(30)
        let sink = try world.run()
        #expect(sink.packets == 2048)
        // Two pieces of 16 packets at most from each interface.
        let gaps = zip(sink.batchTimes, sink.batchTimes.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 <= .milliseconds(4 * 16 * 30) })
        #expect(sink.batches >= 32)
        #expect(sink.interfaces.prefix(64).contains(1))
    }

    @Test func `interfaces are read in turns, and packets say where they came from`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [FakeHandle.Script([.packets(2), .packets(2)])],
            "eth1": [FakeHandle.Script([.packets(1), .packets(1)])],
        ])
        #expect(try world.run().interfaces == [0, 0, 1, 0, 0, 1])
    }

    @Test func `totals that wrap are followed`() throws {
        let before = UInt32.max - 1
        let world = FakeWorld(interfaces: [
            "any": [
                FakeHandle.Script(
                    [],
                    statistics: LiveStatistics(received: 5, dropped: 3, droppedByInterface: 1),
                    firstStatistics: LiveStatistics(received: before, dropped: before, droppedByInterface: before)
                )
            ]
        ])
        _ = try world.run()
        #expect(world.counters.interfaces[0].packetsDroppedByKernelBuffer == 5)
        #expect(world.counters.interfaces[0].packetsDroppedByInterface == 3)
    }

    @Test func `time passes for the sink while there are no packets, never later than one may still come`() throws {
        let world = FakeWorld(interfaces: ["eth0": [FakeHandle.Script([])]])
        world.stopTime = .seconds(3)
        let times = try world.run().times
        #expect(times.count >= 29)
        #expect(times == times.sorted())
        #expect(times.last.map { $0.nanoseconds <= 2_900_000_000 } == true)
    }

    // MARK: Stopping

    @Test func `what the ring holds when a stop is requested is delivered before the end`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [.packets(1)],
                    afterStop: [.packets(0), .packets(0), .packets(4)],
                    statistics: LiveStatistics(received: 5, dropped: 0, droppedByInterface: 0)
                )
            ]
        ])
        #expect(try world.run().packets == 5)
        #expect(world.counters.interfaces[0].packetsDroppedByKernelBuffer == 0)
    }

    @Test func `a full ring is drained for as long as packets come, and not without end`() throws {
        let rest = [FakeHandle.Delivery](repeating: .packets(512), count: 1000)
        let world = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [],
                    afterStop: rest,
                    statistics: LiveStatistics(received: 512_000, dropped: 0, droppedByInterface: 0)
                )
            ]
        ])
        // The clock is looked at twice for each batch, so that all of them take two thirds of the time there is.
        world.clockStep = .milliseconds(1)
        #expect(try world.run().packets == 512_000)
        #expect(world.counters.interfaces[0].packetsDroppedByKernelBuffer == 0)

        let slow = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [],
                    afterStop: rest,
                    statistics: LiveStatistics(received: 512_000, dropped: 0, droppedByInterface: 0)
                )
            ]
        ])
        slow.clockStep = .milliseconds(3)
        let packets = try slow.run().packets
        #expect(packets < 512_000)
        #expect(slow.counters.interfaces[0].packetsDroppedByKernelBuffer == 512_000 - UInt64(packets))
        #expect(slow.time - slow.stopTime < .seconds(4))
    }

    @Test func `what cannot be got out of the ring in time is counted as lost`() throws {
        let world = FakeWorld(interfaces: [
            "eth0": [
                FakeHandle.Script(
                    [.packets(1)],
                    statistics: LiveStatistics(received: 5, dropped: 1, droppedByInterface: 0)
                )
            ]
        ])
        let sink = try world.run()
        #expect(sink.packets == 1)
        #expect(world.counters.interfaces[0].packetsDroppedByKernelBuffer == 4)
        #expect(world.time - world.stopTime < .seconds(1))
    }
}

// MARK: - Stand-ins

/// A handle that does what a script says.
struct FakeHandle: LiveHandle, ~Copyable {
    /// What one call delivers.
    enum Delivery {
        case packets(Int)
        /// So many over several calls, each of which has as many as it asks for.
        case ring(Int)
        case failed
    }

    /// What a handle does from its opening to its end.
    final class Script {
        var deliveries: [Delivery]
        let afterStop: [Delivery]
        let statistics: LiveStatistics
        var firstStatistics: LiveStatistics?

        init(
            _ deliveries: [Delivery],
            afterStop: [Delivery] = [],
            statistics: LiveStatistics = LiveStatistics(received: 0, dropped: 0, droppedByInterface: 0),
            firstStatistics: LiveStatistics? = LiveStatistics(received: 0, dropped: 0, droppedByInterface: 0)
        ) {
            self.deliveries = deliveries
            self.afterStop = afterStop
            self.statistics = statistics
            self.firstStatistics = firstStatistics
        }
    }

    let script: Script
    let hidesUndelivered = false
    private var time: Int64 = 0

    init(_ script: Script) {
        self.script = script
    }

    var linkType: LinkType { .ethernet }
    var descriptor: CInt { -1 }
    var ringOctets: Int { 1 << 20 }
    var lastError: String { "broken" }

    mutating func deliver(limit: Int, to receive: (PacketTime, Int, Span<UInt8>) -> Void) -> Int? {
        guard !script.deliveries.isEmpty else {
            return 0
        }
        switch script.deliveries.removeFirst() {
        case .failed:
            return nil
        case .ring(let count):
            if count > limit { script.deliveries.insert(.ring(count - limit), at: 0) }
            return give(min(count, limit), to: receive)
        case .packets(let count):
            return give(count, to: receive)
        }
    }

    private mutating func give(_ count: Int, to receive: (PacketTime, Int, Span<UInt8>) -> Void) -> Int {
        let octets = [UInt8](repeating: 1, count: 10)
        for _ in 0..<count {
            receive(PacketTime(nanoseconds: time), time % 2 == 0 ? 10 : 20, octets.span)
            time += 1
        }
        return count
    }

    func statistics() -> LiveStatistics? {
        script.firstStatistics.take() ?? script.statistics
    }

    mutating func change(filter: CaptureFilter) throws(CaptureError) {
        guard filter.expression != "refused" else { throw CaptureError(.invalidFilter, "refused") }
    }

    mutating func stopArrivals() {
        script.deliveries += script.afterStop
    }
}

/// A system in which time passes only while a capture waits, or looks at the clock.
final class FakeWorld {
    static let missing = CaptureError(.noSuchInterface, "missing")

    let counters: CaptureCounters
    let control: CaptureControl
    var stopTime = Duration.seconds(5)
    /// How much time passes before each look at the clock.
    var clockStep = Duration.zero
    /// How much time each packet takes.
    var packetDuration = Duration.zero
    /// From when on there is anything to open.
    var appearance = Duration.zero
    /// While the interfaces are down.
    var downtime = Duration.zero..<Duration.zero
    var isUp: Bool? = true
    var openingError = FakeWorld.missing

    private(set) var time = Duration.zero
    private(set) var openings: [Duration] = []
    var events: [CaptureEvent] { reported.events.withLock { $0 } }

    private let names: [String]
    private var scripts: [String: [FakeHandle.Script]]
    private let reported = Reported()
    private let stop = StopFlag()

    /// What was reported; from a closure that may be called on any thread.
    private final class Reported: Sendable {
        let events = Mutex<[CaptureEvent]>([])
    }

    init(interfaces: [String: [FakeHandle.Script]]) {
        scripts = interfaces
        names = interfaces.keys.sorted()
        counters = CaptureCounters(interfaces: interfaces.keys.sorted())
        control = CaptureControl(counters: counters)
    }

    /// What came of the packets and the time.
    struct Sink: CaptureSink {
        var packets = 0
        var interfaces: [Int] = []
        var times: [PacketTime] = []
        var batches = 0
        var batchTimes: [Duration] = []
        /// Lets the time of a packet pass.
        let pass: () -> Void
        let now: () -> Duration

        mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) {
            pass()
            packets += 1
            interfaces.append(packet.interface)
        }

        mutating func batchEnded() {
            batches += 1
            batchTimes.append(now())
        }

        mutating func timePassed(now: PacketTime) {
            times.append(now)
        }
    }

    func run() throws -> Sink {
        let environment = LiveEnvironment(
            now: {
                self.time += self.clockStep
                return self.time
            },
            packetTime: { PacketTime(nanoseconds: Int64(self.time / .nanoseconds(1))) },
            wait: { _, milliseconds in
                self.time += .milliseconds(max(milliseconds, 1))
                if self.time >= self.stopTime {
                    self.stop.request()
                }
            },
            isUp: { _ in self.isUp.map { $0 && !self.downtime.contains(self.time) } }
        )
        let reported = self.reported
        var loop = LiveLoop<FakeHandle>(
            interfaces: counters.numbered(names),
            control: control,
            environment: environment,
            open: { name, _ throws(CaptureError) in
                self.openings.append(self.time)
                guard self.time >= self.appearance, let script = self.scripts[name]?.first else {
                    throw self.openingError
                }
                self.scripts[name]?.removeFirst()
                return FakeHandle(script)
            },
            report: { event in reported.events.withLock { $0.append(event) } }
        )
        try loop.openAll()
        var sink = Sink(pass: { self.time += self.packetDuration }, now: { self.time })
        loop.run(into: &sink, until: stop)
        return sink
    }
}
