// Wingmirror · Apache-2.0

import AdminServer
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(20)))
struct RecordQueueTests {
    /// Takes what a queue has: it waits for more on a thread that no other task needs, as the agent does.
    private let taker = WorkThread("test")

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

    @Test func `each worker has a lane, from which batches are taken in turn and in order`() {
        let queue = RecordQueue(workers: 2, budget: 1 << 20)
        #expect(queue.capacity == 4)
        for number in 0..<3 { queue.append(Array("a\(number)\n".utf8), of: 0) }
        queue.append(Array("b0\n".utf8), of: 1)
        #expect(queue.ledger.lost(.queueFull) == 1)
        #expect(queue.count == 3)
        let texts = (0..<4).map { _ in queue.next().map { String(decoding: $0, as: UTF8.self) } }
        #expect(texts == ["a0\n", "b0\n", "a1\n", nil])
    }

    @Test func `what several threads add at once is taken or counted, that of each in order`() async {
        let (workers, batches) = (4, 5_000)
        let queue = RecordQueue(workers: workers)
        let taken = await withTaskGroup(of: [String].self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { adding in
                    for worker in 0..<workers {
                        adding.addTask {
                            for number in 0..<batches { queue.append(Array("\(worker) \(number)\n".utf8), of: worker) }
                        }
                    }
                }
                queue.close()
                return []
            }
            group.addTask(executorPreference: taker) {
                var taken: [String] = []
                while true {
                    let isLast = queue.isClosed
                    if let next = queue.next() {
                        taken.append(String(decoding: next.dropLast(), as: UTF8.self))
                    } else if isLast {
                        return taken
                    } else {
                        queue.wait()
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.count + Int(queue.ledger.lost(.queueFull)) == workers * batches)
        #expect(Set(taken).count == taken.count)
        for worker in 0..<workers {
            let numbers = taken.filter { $0.hasPrefix("\(worker) ") }.compactMap { Int($0.dropFirst(2)) }
            #expect(numbers == numbers.sorted())
        }
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
            group.addTask(executorPreference: taker) {
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
