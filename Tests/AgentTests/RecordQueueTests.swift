// Wingmirror · Apache-2.0

import Logging
import TestSupport
import Testing
import TrafficModel

@testable import Agent

@Suite(.timeLimit(.minutes(10)))
struct RecordQueueTests {
    @Test func `what is added is written in order, and closing ends the writing`() throws {
        let folder = try TemporaryFolder()
        let queue = RecordQueue()
        queue.append(Array("one\ntwo\n".utf8))
        queue.append(Array("three\n".utf8))
        queue.close()
        queue.write(to: try OctetOutput.open("\(folder.path)/records")) { _ in Issue.record("a write failed") }
        #expect(try folder.text(of: "records") == "one\ntwo\nthree\n")
        #expect(queue.count == 0)
    }

    @Test func `a full queue drops batches and counts their records`() {
        let queue = RecordQueue()
        for _ in 0..<RecordQueue.capacity { queue.append(Array("x\n".utf8)) }
        #expect(queue.droppedByFullQueue == 0)
        queue.append(Array("a\nb\n".utf8))
        #expect(queue.droppedByFullQueue == 2)
        #expect(queue.count == RecordQueue.capacity)
    }

    @Test(.timeLimit(.minutes(10)))
    func `whatever is added while others are written is written in order or counted as dropped`() async throws {
        let folder = try TemporaryFolder()
        let queue = RecordQueue()
        let batches = 20_000
        let output = Handover(try OctetOutput.open("\(folder.path)/records"))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<batches { queue.append(Array("\(number)\n".utf8)) }
                queue.close()
            }
            group.addTask {
                guard let output = output.take() else { return }
                queue.write(to: output) { _ in Issue.record("a write failed") }
            }
        }
        let written = try folder.text(of: "records").split(separator: "\n").compactMap { Int($0) }
        #expect(written == written.sorted())
        #expect(Set(written).count == written.count)
        #expect(written.count + Int(queue.droppedByFullQueue) == batches)
        #expect(queue.count == 0)
    }

    @Test func `after a write has failed records are dropped and counted`() throws {
        let queue = RecordQueue()
        queue.append(Array("lost\n".utf8))
        queue.close()
        var failures: [OctetOutput.Failure] = []
        queue.write(to: try OctetOutput.open("/dev/full")) { failures.append($0) }
        #expect(failures.count == 1)
        #expect(queue.droppedByFailure == 1)
        queue.append(Array("lost too\n".utf8))
        #expect(queue.droppedByFailure == 2)
        #expect(queue.count == 0)
    }

    @Test func `a file that cannot be opened is refused before anything is started`() {
        let failure = #expect(throws: CommandFailure.self) {
            _ = try RecordService(queue: RecordQueue(), path: "/nowhere/records", logger: Logger(label: "test"))
        }
        #expect(failure?.status == .failed)
        #expect(failure?.lines.first?.hasPrefix("records: /nowhere/records: cannot be written") == true)
    }

    @Test func `records that could not be written fail the run at its end`() async throws {
        let queue = RecordQueue()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let service = try RecordService(queue: queue, path: "/dev/full", logger: logger)
        queue.append(Array("lost\n".utf8))
        queue.close()
        let failure = await #expect(throws: CommandFailure.self) { try await service.run() }
        #expect(failure?.status == .failed)
        #expect(failure?.lines.first?.hasPrefix("records: /dev/full: cannot write") == true)
    }
}
