// Wingmirror · Apache-2.0

import HTTPReconstruction
import PacketDecoding
import TLSDecryption
import Testing
import TrafficMetrics

@testable import TCPReassembly
@testable import TrafficPipeline

/// What several workers count, read as one.
@Suite struct WorkerBoardsTests {
    @Test func `the figures of workers are summed, and their times span all of them`() throws {
        let boards = WorkerBoards(MetricsRegistry(shardCount: 2))
        #expect(boards.workers.count == 2)
        for (number, worker) in boards.workers.enumerated() {
            var figures = PipelineFigures()
            figures.interfaces = [InterfaceFigures](repeating: InterfaceFigures(), count: number + 1)
            figures.interfaces[number].packets = 10 * (number + 1)
            figures.interfaces[number].octets = 7
            figures.ignored[0] = 2
            figures.reassembly.segments = 5
            figures.reassembly.duplicateSegments = [Int](repeating: 1, count: number + 1)
            figures.reassembly.gaps[.captureLoss] = 3
            figures.parseFailures[0] = 1
            figures.pendingExchanges = 4
            figures.reassembly.clockOffsets = [InterfaceClockOffset(first: 0, second: 1 + number)]
            figures.firstPacket = PacketTime(nanoseconds: Int64(100 - number))
            figures.latestPacket = PacketTime(nanoseconds: Int64(200 - number))
            worker.publish(figures)
        }
        let sum = boards.figures
        #expect(sum.interfaces.map(\.packets) == [10, 20])
        #expect(sum.interfaces.map(\.octets) == [7, 7])
        #expect(sum.ignored[0] == 4)
        #expect(sum.reassembly.segments == 10)
        #expect(sum.reassembly.duplicateSegments == [2, 1])
        #expect(sum.reassembly.gaps[.captureLoss] == 6)
        #expect(sum.parseFailures[0] == 2)
        #expect(sum.pendingExchanges == 8)
        #expect(sum.reassembly.clockOffsets.map(\.second) == [1, 2])
        #expect(sum.firstPacket == PacketTime(nanoseconds: 99))
        #expect(sum.latestPacket == PacketTime(nanoseconds: 200))
    }

    @Test func `workers share what one may hold, and together hold no more`() {
        let whole = PipelineLimits()
        #expect(whole.share(among: 1).reassembly == whole.reassembly)
        let share = whole.share(among: 4)
        #expect(share.reassembly.connections * 4 <= whole.reassembly.connections)
        #expect(share.reassembly.bufferedOctets * 4 <= whole.reassembly.bufferedOctets)
        #expect(share.http.openExchanges * 4 <= whole.http.openExchanges)
        #expect(share.http.readerOctets * 4 <= whole.http.readerOctets)
        #expect(share.tls.readerOctets * 4 <= whole.tls.readerOctets)
        #expect(share.reassembly.bufferedOctetsPerConnection == whole.reassembly.bufferedOctetsPerConnection)
    }

    /// Whoever adds a number to the statistics adds it to the sum too.
    @Test func `every number of the statistics of reassembly is summed`() throws {
        let numbers = Mirror(reflecting: ReassemblyStatistics()).children.filter { $0.value is Int }
        #expect(ReassemblyStatistics.counts.count == numbers.count)
        #expect(Set(ReassemblyStatistics.counts).count == numbers.count)
    }
}
