// Wingmirror · Apache-2.0

import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(20)))
struct RecordQueueTests {
    @Test func `what is added is taken in order`() {
        let queue = RecordQueue()
        queue.append(Array("one\ntwo\n".utf8))
        queue.append(Array("three\n".utf8))
        #expect(queue.count == 2)
        let texts = [queue.next(), queue.next(), queue.next()].map { $0.map { String(decoding: $0, as: UTF8.self) } }
        #expect(texts == ["one\ntwo\n", "three\n", nil])
        #expect(queue.count == 0)
    }

    @Test func `a full queue drops batches and counts their records`() {
        let queue = RecordQueue()
        for _ in 0..<RecordQueue.capacity { queue.append(Array("x\n".utf8)) }
        #expect(queue.ledger.lossText == nil)
        queue.append(Array("a\nb\n".utf8))
        #expect(queue.ledger.lost(.queueFull) == 2)
        #expect(queue.count == RecordQueue.capacity)
        queue.canWrite(unless: "the disk is full")
        queue.append(Array("c\n".utf8))
        #expect(queue.ledger.lost(.writeFailed) == 1)
        #expect(queue.ledger.lossText == "3 of 3 records were not written (2 queue_full, 1 write_failed)")
    }

    @Test(arguments: [(64 << 20, 32), (1 << 30, 512), (1 << 36, 1024), (1 << 20, 4)])
    func `a small memory limit makes a small queue`(budget: Int, batches: Int) {
        let queue = RecordQueue(budget: budget)
        for _ in 0...batches { queue.append(Array("x\n".utf8)) }
        #expect(queue.count == batches)
        #expect(queue.ledger.lost(.queueFull) == 1)
    }

    @Test func `whatever is added while others are taken is taken in order or counted as dropped`() async {
        let queue = RecordQueue()
        let batches = 20_000
        let taken = await withTaskGroup(of: [Int].self) { group in
            group.addTask {
                for number in 0..<batches { queue.append(Array("\(number)\n".utf8)) }
                queue.close()
                return []
            }
            group.addTask {
                var taken: [Int] = []
                while true {
                    let isLast = queue.isClosed
                    if let next = queue.next() {
                        taken.append(Int(String(decoding: next.dropLast(), as: UTF8.self)) ?? -1)
                    } else if isLast {
                        return taken
                    } else {
                        queue.wait()
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken == taken.sorted())
        #expect(Set(taken).count == taken.count)
        #expect(taken.count + Int(queue.ledger.lost(.queueFull)) == batches)
        #expect(queue.count == 0)
    }
}
