// Wingmirror · Apache-2.0

import AdminServer
import Glibc
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

/// Every record that is added is in a file, whole, or is counted as lost: `added = written + lost`.
@Suite(.timeLimit(.minutes(20)))
struct RecordWriterTests {
    private let folder: TemporaryFolder
    private let queue = RecordQueue()

    init() throws {
        folder = try TemporaryFolder()
    }

    private var path: String { "\(folder.path)/records" }

    /// A writer on a thread of the test's, until the queue is closed.
    private func writing(
        to path: String? = nil,
        _ rotation: RecordsConfiguration.Rotation = .init()
    ) async throws -> Task<Void?, Never> {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var writer = RecordWriter(queue, path: path ?? self.path, rotation: rotation, logger: logger)
        try writer.open()
        let handover = Handover(writer)
        return Self.onThread {
            guard var writer = handover.take() else { return }
            writer.run()
        }
    }

    /// Does what blocks its thread on one that no task needs.
    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) -> Task<Value?, Never> {
        Task { await WorkThread("test").run(work) }
    }

    /// Adds records of which each is told by its number.
    private func add(_ numbers: Range<Int>) {
        for number in numbers { queue.append(Array("{\"record\":\(number)}\n".utf8)) }
    }

    private func until(_ isTrue: () throws -> Bool) async throws {
        while try !isTrue() { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func numbers(_ name: String) throws -> [Int] {
        let text = try folder.text(of: name)
        #expect(text.isEmpty || text.hasSuffix("\n"))
        return text.split(separator: "\n").compactMap { Int($0.dropFirst(10).dropLast()) }
    }

    @Test func `records are added to the end of what is there`() async throws {
        try folder.write("{\"record\":0}\n", to: "records")
        let writing = try await writing()
        add(1..<4)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == [0, 1, 2, 3])
        #expect(queue.ledger.written == 3)
        #expect(queue.ledger.lossText == nil)
    }

    @Test(arguments: ["{", "{\"client\":", "{\"client\":{" + String(repeating: "x", count: 200_000)])
    func `what a killed run left of a record is cut off`(rest: String) async throws {
        try folder.write("{\"record\":0}\n" + rest, to: "records")
        let writing = try await writing()
        add(1..<2)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == [0, 1])
    }

    @Test(arguments: ["", "a line\n"], ["{\"log\":{}}", "{\"clients\":[]}", String(repeating: "x", count: 200_000)])
    func `of a file that held something else nothing goes`(before: String, rest: String) async throws {
        try folder.write(before + rest, to: "records")
        let writing = try await writing()
        add(1..<2)
        queue.close()
        _ = await writing.value
        #expect(try folder.text(of: "records") == before + rest + "\n{\"record\":1}\n")
    }

    @Test func `a file that is renamed is finished, and a new one is begun`() async throws {
        let writing = try await writing()
        add(0..<100)
        try await until { queue.ledger.written == 100 }
        try #require(unsafe rename(path, path + ".moved") == 0)
        queue.reopen()
        add(100..<200)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records.moved") + numbers("records") == Array(0..<200))
        #expect(queue.ledger.written == 200)
    }

    @Test func `a rename is noticed without a signal`() async throws {
        let writing = try await writing()
        add(0..<1)
        try await until { queue.ledger.written == 1 }
        try #require(unsafe rename(path, path + ".moved") == 0)
        var next = 1
        while unsafe access(path, F_OK) != 0 {
            add(next..<next + 1)
            next += 1
            try await Task.sleep(for: .milliseconds(20))
        }
        queue.close()
        _ = await writing.value
        #expect(try numbers("records.moved") + numbers("records") == Array(0..<next))
    }

    @Test func `a file that is truncated goes on at its beginning, without a hole`() async throws {
        let writing = try await writing()
        add(0..<1000)
        try await until { queue.ledger.written == 1000 }
        try #require(unsafe truncate(path, 0) == 0)
        add(1000..<1010)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == Array(1000..<1010))
    }

    @Test func `a full file is rotated at a line's end, and the oldest of them is forgotten`() async throws {
        var rotation = RecordsConfiguration.Rotation()
        rotation.bytes = ByteSize(2_000)
        rotation.kept = 2
        let writing = try await writing(rotation)
        for start in stride(from: 0, to: 1000, by: 100) {
            add(start..<start + 100)
            try await until { queue.ledger.written == UInt64(start + 100) }
        }
        queue.close()
        _ = await writing.value
        let kept = try numbers("records.2") + numbers("records.1") + numbers("records")
        #expect(kept == Array((kept.first ?? 0)..<1000))
        #expect(kept.count < 1000)
        #expect(unsafe access("\(path).3", F_OK) != 0)
        #expect(queue.ledger.written == 1000)
    }

    @Test(arguments: ["records.1", "records.2"])
    func `a file that cannot be rotated is written on, and no older one is lost`(occupied: String) async throws {
        // A folder with something in it is replaced by no file.
        try #require(unsafe mkdir("\(folder.path)/\(occupied)", 0o700) == 0)
        try folder.write("", to: "\(occupied)/full")
        if occupied == "records.2" { try folder.write("{\"record\":0}\n", to: "records.1") }
        var rotation = RecordsConfiguration.Rotation()
        rotation.bytes = ByteSize(2_000)
        rotation.kept = occupied == "records.1" ? 1 : 2
        let writing = try await writing(rotation)
        for start in stride(from: 1, to: 1001, by: 100) {
            add(start..<start + 100)
            try await until { queue.ledger.written == UInt64(start + 99) }
        }
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == Array(1..<1001))
        if occupied == "records.2" { #expect(try numbers("records.1") == [0]) }
        #expect(queue.ledger.failure == nil)
        #expect(queue.ledger.lossText == nil)
    }

    @Test func `a rotation moves older files no further than it has to`() throws {
        for (name, text) in [("records", "new"), ("records.2", "older"), ("records.3", "oldest")] {
            try folder.write(text, to: name)
        }
        try RecordRotation.rotate(path, keeping: 3)
        #expect(try ["records.1", "records.2", "records.3"].map(folder.text) == ["new", "older", "oldest"])
        try folder.write("newest", to: "records")
        try RecordRotation.rotate(path, keeping: 3)
        #expect(try ["records.1", "records.2", "records.3"].map(folder.text) == ["newest", "new", "older"])
        #expect(unsafe access(path, F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "gives up the rights of root"), arguments: [0o755, 0o700] as [mode_t])
    func `a file that may not be opened again, once privileges are given up, is written on`(mode: mode_t) async throws {
        try #require(unsafe chmod(folder.path, mode) == 0)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var writer = RecordWriter(queue, path: path, rotation: .init(), logger: logger)
        try writer.open()
        let handover = Handover(writer)
        let writing = Self.onThread {
            guard let setUser = Self.setFileUser, var writer = handover.take() else { return }
            _ = setUser(65_534)
            writer.run()
            _ = setUser(0)
        }
        add(0..<10)
        try await until { queue.ledger.written == 10 }
        queue.reopen()
        add(10..<20)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == Array(0..<20))
        #expect(queue.ledger.lossText == nil)
    }

    /// Says who this thread is to the file system: setfsuid(2), which headers for Swift leave out.
    private static var setFileUser: (@convention(c) (uid_t) -> CInt)? {
        // The function of the C library takes a user's number and gives the one before; both are 32 bits wide.
        unsafe dlsym(nil, "setfsuid").map { unsafe unsafeBitCast($0, to: (@convention(c) (uid_t) -> CInt).self) }
    }

    @Test func `a disk that is full loses nothing that the queue can hold, and is written again when there is room`()
        async throws
    {
        // A link to a device that is always full stands for the disk, until it leads to a file.
        try #require(unsafe symlink("/dev/full", path) == 0)
        let writing = try await writing()
        add(0..<10)
        try await until { queue.ledger.failure != nil }
        #expect(queue.ledger.failure == "cannot write: No space left on device")
        add(10..<20)
        try #require(unsafe unlink(path) == 0)
        queue.reopen()
        try await until { queue.ledger.written == 20 }
        #expect(queue.ledger.failure == nil)
        queue.close()
        _ = await writing.value
        #expect(try numbers("records") == Array(0..<20))
        #expect(queue.ledger.lossText == nil)
    }

    @Test func `what cannot be written by the end is counted`() async throws {
        let writing = try await writing(to: "/dev/full")
        add(0..<10)
        queue.close()
        _ = await writing.value
        #expect(queue.ledger.written == 0)
        #expect(queue.ledger.lost(.writeFailed) == 10)
        #expect(queue.ledger.lossText == "10 of 10 records were not written (10 write_failed)")
    }

    @Test func `a pipe without a reader waits for one`() async throws {
        try #require(unsafe mkfifo(path, 0o600) == 0)
        let writing = try await writing()
        #expect(queue.ledger.failure == "the pipe has no reader")
        add(0..<50)
        let path = path
        let text = Self.onThread {
            let descriptor = unsafe Glibc.open(path, O_RDONLY)
            defer { close(descriptor) }
            var text: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while text.count(where: { $0 == 0x0A }) < 50 {
                let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { break }
                text += chunk.prefix(count)
            }
            return String(decoding: text, as: UTF8.self)
        }
        #expect(await text.value?.split(separator: "\n").count == 50)
        queue.close()
        _ = await writing.value
        #expect(queue.ledger.written == 50)
        #expect(queue.ledger.lossText == nil)
    }

    @Test func `a reader that stands still costs what it does not read, and the agent ends all the same`() async throws
    {
        try #require(unsafe mkfifo(path, 0o600) == 0)
        let reader = unsafe Glibc.open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let writing = try await writing()
        let count = 20_000
        // Some batches beyond what the queue holds, too.
        for number in 0..<count {
            queue.append(Array(("{\"record\":\(number)}" + String(repeating: " ", count: 100) + "\n").utf8))
        }
        queue.close()
        _ = await writing.value
        let ledger = queue.ledger
        let lost = RecordLedger.Loss.allCases.reduce(0) { $0 + ledger.lost($1) }
        #expect(ledger.written + lost == UInt64(count))
        #expect(ledger.lost(.shutdown) > 0)
        #expect(ledger.lost(.queueFull) > 0)
        #expect(queue.count == 0)
    }

    @Test func `through renames, truncations and a full disk each record is written or counted once`() async throws {
        let writing = try await writing()
        let added = 30_000
        let producing = Self.onThread { [queue] in
            for number in 0..<added { queue.append(Array("{\"record\":\(number)}\n".utf8)) }
        }
        for round in 0..<10 {
            _ = unsafe rename(path, "\(path).old\(round)")
            if round % 3 == 1 { unsafe _ = symlink("/dev/full", path) }
            queue.reopen()
            try await Task.sleep(for: .milliseconds(20))
            if round % 3 == 1 {
                _ = unsafe unlink(path)
                queue.reopen()
            }
        }
        _ = await producing.value
        queue.close()
        _ = await writing.value
        var found = (0..<10).flatMap { round in (try? numbers("records.old\(round)")) ?? [] }
        // Where the writer finds the queue closed and empty at its next turn, it begins no file for the last renaming.
        if unsafe access(path, F_OK) == 0 { found += try numbers("records") }
        #expect(Set(found).count == found.count)
        #expect(UInt64(found.count) == queue.ledger.written)
        let lost = RecordLedger.Loss.allCases.reduce(0) { $0 + queue.ledger.lost($1) }
        #expect(queue.ledger.written + lost == UInt64(added))
    }

    @Test func `a file that cannot be opened ends the run, and says why`() async {
        let service = RecordService(
            queue: queue,
            configuration: configuration("/nowhere/records"),
            logger: Logger(label: "test")
        )
        let failure = await #expect(throws: CommandFailure.self) { try await service.run() }
        #expect(failure?.status == .failed)
        let expected = "records: /nowhere/records: cannot be written: No such file or directory"
        #expect(failure?.lines == [expected])
    }

    @Test func `records that are missing fail the run at its end`() async {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let service = RecordService(queue: queue, configuration: configuration("/dev/full"), logger: logger)
        add(0..<1)
        queue.close()
        let failure = await #expect(throws: CommandFailure.self) { try await service.run() }
        #expect(failure?.lines == ["records: /dev/full: 1 of 1 records were not written (1 write_failed)"])
    }

    // MARK: - Standard output

    /// A descriptor of a file as `> FILE` gives it: not to append.
    private func redirected() throws -> Int32 {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        try #require(descriptor >= 0)
        return descriptor
    }

    @Test func `part of a line that is taken back from standard output leaves no hole`() throws {
        let descriptor = try redirected()
        defer { close(descriptor) }
        let sink = try RecordSink.open("-", standardOutput: descriptor)
        #expect(try sink.write(Array("{\"record\":1}\n{\"rec".utf8)[...]) == 18)
        let isGone = sink.takeBack(5)
        #expect(isGone)
        _ = try sink.write(Array("{\"record\":2}\n".utf8)[...])
        #expect(try folder.text(of: "records") == "{\"record\":1}\n{\"record\":2}\n")
    }

    @Test func `nothing is taken back from standard output where another has written since`() throws {
        let descriptor = try redirected()
        defer { close(descriptor) }
        let sink = try RecordSink.open("-", standardOutput: descriptor)
        _ = try sink.write(Array("{\"record\":1}\n{\"rec".utf8)[...])
        let other = unsafe open(path, O_WRONLY | O_APPEND)
        defer { close(other) }
        #expect(unsafe write(other, "another\n", 8) == 8)
        let isGone = sink.takeBack(5)
        let isFinishedLater = sink.finishesPartialLines
        #expect(!isGone && isFinishedLater)
        #expect(try folder.text(of: "records") == "{\"record\":1}\n{\"recanother\n")
    }

    private func configuration(_ path: String) -> RecordsConfiguration {
        var configuration = RecordsConfiguration()
        configuration.file = path
        return configuration
    }
}
