// Wingmirror · Apache-2.0

internal import PacketDecoding
internal import TCPReassembly

/// What a connection holds while its keys are awaited.
///
/// Payloads go before records: of what is too much, the number, length and times are kept, which is a hole of known size
/// once the keys are there (reference: http2-grpc-tls.md 9.6).
struct HeldItems {
    private(set) var items: [(item: TLSItem, direction: StreamDirection)] = []
    private var octets = 0
    private var isWhole = true

    var isEmpty: Bool { items.isEmpty }

    /// Holds one more.
    mutating func append(_ item: TLSItem, _ direction: StreamDirection, _ context: TLSContext) {
        if items.count >= context.limits.heldItemsPerConnection, !item.isEnd {
            context.statistics.shedOctets += item.octetCount
            isWhole = false
            return
        }
        items.append((item, direction))
        hold(item.octetCount, context)
        while octets > context.limits.heldOctetsPerConnection
            || (context.statistics.heldOctets > context.limits.heldOctets && octets > 0)
        {
            shedLargest(context)
        }
    }

    /// Hands over everything, in order, and whether it is that.
    mutating func takeAll(_ context: TLSContext) -> (items: [(TLSItem, StreamDirection)], isWhole: Bool) {
        hold(-octets, context)
        defer {
            items = []
            isWhole = true
        }
        return (items.map { ($0.item, $0.direction) }, isWhole)
    }

    private mutating func hold(_ count: Int, _ context: TLSContext) {
        octets += count
        context.statistics.heldOctets += count
    }

    private mutating func shedLargest(_ context: TLSContext) {
        guard let index = items.indices.max(by: { items[$0].item.octetCount < items[$1].item.octetCount }) else {
            return
        }
        let count = items[index].item.octetCount
        context.statistics.shedOctets += count
        hold(-count, context)
        items[index].item = items[index].item.shed
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
