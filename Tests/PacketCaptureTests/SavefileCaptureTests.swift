// Wingmirror · Apache-2.0

import Glibc
import PacketCapture
import PacketDecoding
import Synchronization
import Testing

/// Takes packets from pcap files and pipes into a sink.
@Suite(.timeLimit(.minutes(20))) struct SavefileCaptureTests {
    private let folder = TemporaryFolder()

    private static func records(_ count: Int) -> [TestSavefile.Packet] {
        (0..<count).map { TestSavefile.Packet(seconds: UInt32($0), octets: [1, 2, 3]) }
    }

    // MARK: Files

    @Test func `a file is taken in batches, and a stop ends it`() throws {
        let path = folder.file("a", TestSavefile.pcap(Self.records(10_000)))
        let stop = StopFlag()
        let seen = Seen()
        var sink = Sink(seen: seen)
        var capture = try SavefileCapture(paths: [path], stop: stop) { octets in
            if octets == nil { Issue.record("a file is no pipe") }
            if seen.batches == 2 { stop.request() }
        }
        capture.run(into: &sink, until: stop)
        #expect(seen.batches == 2)
        #expect(seen.packets == 8192)
    }

    @Test func `at their own pace, packets are shown before the next is waited for`() throws {
        let path = folder.file("a", TestSavefile.pcap(Self.records(2)))
        let stop = StopFlag()
        let seen = Seen()
        let thread = try CaptureThread.start(name: "paced") {
            var sink = Sink(seen: seen)
            var capture = try? SavefileCapture(paths: [path], keepsPace: true, stop: stop)
            capture?.run(into: &sink, until: stop)
        }
        #expect(NetworkSandbox.eventually { seen.batches >= 1 && seen.packets == 1 })
        stop.request()
        thread.join()
        #expect(seen.packets == 1)
    }

    // MARK: Pipes

    /// Captures from a pipe on a thread; what it came to is in `seen`.
    private func capture(_ path: String, _ seen: Seen, until stop: StopFlag) throws -> CaptureThread {
        try CaptureThread.start(name: "pipe") {
            var sink = Sink(seen: seen)
            do throws(CaptureError) {
                var capture = try SavefileCapture(paths: [path], stop: stop) { _ in seen.progressed() }
                capture.run(into: &sink, until: stop)
                seen.ended(capture.failures)
            } catch {
                seen.ended([error])
            }
        }
    }

    @Test func `what came through a pipe is shown while nothing more comes`() throws {
        let path = folder.pipe("pipe")
        let pipe = try PipeEnd(path)
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        let octets = TestSavefile.pcap(Self.records(3))
        pipe.write(octets.dropLast(10))
        #expect(NetworkSandbox.eventually { seen.packets == 2 && seen.batches >= 2 })
        // The rest of a record that was cut in two, and time in which nothing comes at all.
        pipe.write(octets.suffix(10))
        #expect(NetworkSandbox.eventually { seen.packets == 3 })
        let batches = seen.batches
        #expect(NetworkSandbox.eventually { seen.batches > batches + 1 })
        stop.request()
        thread.join()
        #expect(seen.failures == [])
    }

    @Test func `a named pipe is waited for though nobody has opened it yet, and a stop ends that`() throws {
        let path = folder.pipe("pipe")
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        #expect(NetworkSandbox.eventually { seen.progress >= 2 })
        stop.request()
        thread.join()
        #expect(seen.failures?.map(\.code) == [.stopped])
    }

    @Test func `a named pipe is read from its first writer on to that one's end`() throws {
        let path = folder.pipe("pipe")
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        #expect(NetworkSandbox.eventually { seen.progress >= 2 })
        do {
            let pipe = try PipeEnd(path)
            pipe.write(TestSavefile.pcap(Self.records(3)))
            #expect(NetworkSandbox.eventually { seen.packets == 3 })
        }
        // By itself; the stop is for a capture that misses the end.
        #expect(NetworkSandbox.eventually { seen.failures != nil })
        stop.request()
        thread.join()
        #expect(seen.failures == [])
    }

    @Test func `packets that come one by one are shown within a moment too`() throws {
        let path = folder.pipe("pipe")
        let pipe = try PipeEnd(path)
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        pipe.write(TestSavefile.pcap([]))
        let record = TestSavefile.pcap(Self.records(1)).dropFirst(24)
        // One each millisecond: far from a whole batch, and never a tenth of a second without one.
        let isShown = NetworkSandbox.eventually {
            pipe.write(record)
            return seen.batches > 1
        }
        #expect(isShown)
        #expect(seen.packets < 4096)
        stop.request()
        thread.join()
    }

    @Test func `a stop within a record is no damage`() throws {
        let path = folder.pipe("pipe")
        let pipe = try PipeEnd(path)
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        pipe.write(TestSavefile.pcap(Self.records(3)).dropLast(1))
        #expect(NetworkSandbox.eventually { seen.packets == 2 })
        stop.request()
        thread.join()
        #expect(seen.failures == [])
        #expect(seen.packets == 2)
    }

    @Test(arguments: [0, 10])
    func `a stop before there is a header says so, and the thread shows that it is well meanwhile`(octets: Int) throws {
        let path = folder.pipe("pipe")
        let pipe = try PipeEnd(path)
        let (seen, stop) = (Seen(), StopFlag())
        let thread = try capture(path, seen, until: stop)
        pipe.write(TestSavefile.pcap([]).prefix(octets))
        #expect(NetworkSandbox.eventually { seen.progress >= 2 })
        stop.request()
        thread.join()
        #expect(seen.failures?.map(\.code) == [.stopped])
    }
}

/// What a sink has seen so far, for other threads.
private final class Seen: Sendable {
    private let counts = Mutex((packets: 0, batches: 0, progress: 0))
    private let result = Mutex<[CaptureError]?>(nil)

    var packets: Int { counts.withLock { $0.packets } }
    var batches: Int { counts.withLock { $0.batches } }
    var progress: Int { counts.withLock { $0.progress } }
    /// What could not be read; `nil` until the capture has ended.
    var failures: [CaptureError]? { result.withLock { $0 } }

    func packetArrived() { counts.withLock { $0.packets += 1 } }
    func batchEnded() { counts.withLock { $0.batches += 1 } }
    func progressed() { counts.withLock { $0.progress += 1 } }
    func ended(_ failures: [CaptureError]) { result.withLock { $0 = failures } }
}

private struct Sink: CaptureSink {
    let seen: Seen

    mutating func packetArrived(_ packet: CapturedPacket, octets: Span<UInt8>) { seen.packetArrived() }
    mutating func batchEnded() { seen.batchEnded() }
    mutating func timePassed(now: PacketTime) {}
}

/// The writing end of a named pipe, which waits for no reader.
private final class PipeEnd {
    private let descriptor: CInt

    init(_ path: String) throws {
        descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
    }

    deinit {
        close(descriptor)
    }

    func write(_ octets: some Sequence<UInt8>) {
        let octets = Array(octets)
        #expect(unsafe Glibc.write(descriptor, octets, octets.count) == octets.count)
    }
}
