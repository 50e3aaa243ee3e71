// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly

/// What a connection holds while its keys are awaited.
///
/// Payloads go before records: of what is too much, the number, length and times are kept, which is a hole of known size
/// once the keys are there (reference: http2-grpc-tls.md 9.6).
struct HeldItems {
    private(set) var items: [(item: TLSItem, direction: StreamDirection)] = []
    /// Octets of payloads.
    private var octets = 0
    /// Memory that was counted, items and payloads.
    private var counted = 0
    /// Items before this one have no payload any more.
    private var firstWithPayload = 0
    private var isWhole = true

    /// What payloads may take together: the rest is for the shapes of what comes later, without which a connection is lost.
    private static func payloadLimit(_ context: TLSContext) -> Int {
        context.limits.heldOctets - context.limits.heldOctets / 8
    }

    /// Octets of memory that an item takes beside its payload.
    private static var itemCost: Int { MemoryLayout<(item: TLSItem, direction: StreamDirection)>.stride + 32 }

    var isEmpty: Bool { items.isEmpty }

    /// Holds one more.
    mutating func append(_ item: TLSItem, _ direction: StreamDirection, _ context: TLSContext) {
        let mayShed = item.octetCount + octets
        let hasRoom =
            context.statistics.heldOctets + Self.itemCost + item.octetCount - mayShed <= context.limits.heldOctets
        if items.count >= context.limits.heldItemsPerConnection || !hasRoom, !item.isEnd {
            context.statistics.shedOctets += item.octetCount
            isWhole = false
            return
        }
        items.append((item, direction))
        octets += item.octetCount
        hold(item.octetCount + Self.itemCost, context)
        if octets > context.limits.heldOctetsPerConnection || context.statistics.heldOctets > Self.payloadLimit(context)
        {
            shed(context)
        }
    }

    /// Hands over everything, in order, and whether it is that.
    mutating func takeAll(_ context: TLSContext) -> (items: [(TLSItem, StreamDirection)], isWhole: Bool) {
        hold(-counted, context)
        defer {
            items = []
            (octets, firstWithPayload) = (0, 0)
            isWhole = true
        }
        return (items.map { ($0.item, $0.direction) }, isWhole)
    }

    private mutating func hold(_ count: Int, _ context: TLSContext) {
        counted += count
        context.statistics.heldOctets += count
    }

    /// Sheds the longest payloads, and an eighth more than has to go, so that not every item that comes is a reason to look at
    /// all of them.
    private mutating func shed(_ context: TLSContext) {
        let excess = max(
            octets - context.limits.heldOctetsPerConnection,
            context.statistics.heldOctets - Self.payloadLimit(context)
        )
        let wanted = max(0, octets - excess - octets / 8)
        while octets > wanted {
            let longest = items[firstWithPayload...].lazy.map(\.item.octetCount).max() ?? 0
            guard longest > 0 else { return }
            for index in items[firstWithPayload...].indices where octets > wanted {
                let count = items[index].item.octetCount
                guard count > longest / 2 else { continue }
                items[index].item = items[index].item.shed
                context.statistics.shedOctets += count
                octets -= count
                hold(-count, context)
            }
            while firstWithPayload < items.count, items[firstWithPayload].item.octetCount == 0 { firstWithPayload += 1 }
        }
    }
}

extension TLSItem {
    /// Octets of memory that may be shed.
    var octetCount: Int {
        switch self {
        case .record(let octets, _), .damagedRecord(_, let octets, _, _), .unframed(let octets, _): octets.count
        case .hole, .ended: 0
        }
    }

    fileprivate var isEnd: Bool { if case .ended = self { true } else { false } }

    /// What is left without the octets.
    fileprivate var shed: TLSItem {
        switch self {
        case .record(let octets, let place):
            RecordHeader(octets.span, at: 0).map { .damagedRecord($0, [], .limit, place) } ?? self
        case .damagedRecord(let header, _, let reason, let place): .damagedRecord(header, [], reason, place)
        case .unframed(let octets, let position): .hole(octets.count, .limit, position)
        case .hole, .ended: self
        }
    }
}
