// Wingmirror · Apache-2.0

import Testing

@testable import TrafficMetrics

@Suite struct HistorySlotTests {
    private let layout = ShardLayout(configuration: .standard).duration

    private func counts(_ parts: [(HistoryKey, UInt64)]) -> RouteCounts {
        var counts = RouteCounts()
        for (key, count) in parts { counts.append(key, count) }
        return counts
    }

    private func slot(_ start: Int64, _ end: Int64, _ routes: [(number: Int, counts: RouteCounts)]) -> HistorySlot {
        HistorySlot(
            start: start,
            end: end,
            routes: routes,
            unmatched: [UInt64](repeating: 1, count: UnmatchedReason.allCases.count),
            capture: CaptureReading(packets: 2),
            layout: layout
        )
    }

    private func unpacked(_ slot: HistorySlot) -> [Int: RouteCounts] {
        var routes: [Int: RouteCounts] = [:]
        var dense = DenseCounts(layout: layout)
        var walk = HistoryWalk([slot])
        while let number = walk.next() {
            dense.clear()
            walk.entries[0].add(to: &dense, in: slot)
            routes[number] = RouteCounts(dense)
        }
        return routes
    }

    @Test func `counts come out of a slot as they went in`() {
        let routes: [(number: Int, counts: RouteCounts)] = [
            (0, counts([(.requests(.success), 1)])),
            (1, counts([(.requests(.none), 127), (.failures, 128), (.duration(cell: layout.cellCount - 1), 1)])),
            (16_384, counts([(.unseen, (1 << 52) - 1), (.duration(cell: 0), 1 << 35)])),
            (1_000_000, counts([(.failures, 3)])),
        ]
        let slot = slot(0, 5, routes)
        #expect(unpacked(slot) == Dictionary(uniqueKeysWithValues: routes.map { ($0.number, $0.counts) }))
        for (number, counts) in routes {
            var dense = DenseCounts(layout: layout)
            HistoryWalk.entry(of: number, in: slot)?.add(to: &dense, in: slot)
            #expect(RouteCounts(dense) == counts)
        }
        #expect(HistoryWalk.entry(of: 2, in: slot) == nil)
        #expect(HistoryWalk.entry(of: 2_000_000, in: slot) == nil)
    }

    @Test func `routes without counts take no octet`() {
        #expect(slot(0, 5, [(3, RouteCounts()), (9, RouteCounts())]).octets.isEmpty)
    }

    @Test func `joined slots hold the sum of both`() {
        let first = slot(0, 5, [(1, counts([(.requests(.success), 2)])), (4, counts([(.requests(.success), 1)]))])
        let second = slot(
            5,
            9,
            [(0, counts([(.failures, 7)])), (4, counts([(.requests(.success), 5), (.failures, 1)]))]
        )
        let joined = HistorySlot(joining: [first, second], layout: layout)
        #expect((joined.start, joined.end) == (0, 9))
        #expect(
            unpacked(joined) == [
                0: counts([(.failures, 7)]),
                1: counts([(.requests(.success), 2)]),
                4: counts([(.requests(.success), 6), (.failures, 1)]),
            ]
        )
        #expect(joined.totals == counts([(.requests(.success), 8), (.failures, 8)]))
        #expect(joined.unmatched.allSatisfy { $0 == 2 })
        #expect(joined.capture.packets == 4)
    }

    @Test(
        arguments: [
            ("a counter rose", [(0, 5), (9, 2)], [(0, 7), (9, 2)], [(0, 2)]),
            ("a counter is new", [(0, 5)], [(0, 5), (9, 2)], [(9, 2)]),
            ("nothing changed", [(0, 5)], [(0, 5)], []),
            ("a counter fell", [(0, 5), (9, 2)], [(0, 6), (9, 1)], [(0, 6), (9, 1)]),
            ("a counter is gone", [(0, 5), (9, 2)], [(0, 6)], [(0, 6)]),
            ("an earlier counter is gone", [(0, 5), (9, 2)], [(9, 2)], [(9, 2)]),
            ("all are gone", [(0, 5)], [], []),
        ] as [(String, [(UInt16, UInt64)], [(UInt16, UInt64)], [(UInt16, UInt64)])]
    )
    func `what was counted since is the difference, or everything after a restart`(
        _ label: String,
        older: [(UInt16, UInt64)],
        newer: [(UInt16, UInt64)],
        expected: [(UInt16, UInt64)]
    ) {
        func make(_ parts: [(UInt16, UInt64)]) -> RouteCounts {
            counts(parts.map { (HistoryKey(rawValue: $0.0), $0.1) })
        }
        #expect(make(newer).counted(since: make(older)) == make(expected), "\(label)")
    }

    @Test func `buckets of a heatmap have the same bounds whatever was observed`() throws {
        func buckets(_ nanoseconds: [UInt64], perDoubling: Int) -> [LatencyDistribution.Bucket] {
            var dense = DenseCounts(layout: layout)
            for value in nanoseconds { dense.add(1, to: .duration(cell: layout.cell(of: value))) }
            return dense.latency(layout: layout).buckets(perDoubling: perDoubling)
        }
        let values: [UInt64] = [0, 1_000_000, 1_100_000, 5_000_000, 30_000_000, 31_000_000, 4_000_000_000_000_000]
        for perDoubling in [1, 2, 4, 8] {
            let together = buckets(values, perDoubling: perDoubling)
            #expect(together.reduce(0) { $0 + $1.count } == UInt64(values.count))
            for value in values {
                let alone = try #require(buckets([value], perDoubling: perDoubling).first)
                #expect(together.contains { $0.lower == alone.lower && $0.upper == alone.upper })
                let seconds = Double(value) / 1e9
                #expect(seconds <= alone.upper || alone.upper == 0x1p20)
                #expect(seconds > alone.lower || value == 0)
            }
            #expect(zip(together, together.dropFirst()).allSatisfy { $0.upper <= $1.lower })
        }
    }
}
