// Wingmirror · Apache-2.0

/// Which Gateways have series, and until when.
///
/// Slot 0 is for traffic that reaches no Gateway and stays. Gateways beyond the limit, in the order of their names, are
/// counted under `__overflow__`; those of removed Gateways stay for the same grace as those of removed routes.
struct GatewayAdmission: Sendable {
    private let shardCount: Int
    private let limit: Int
    private var nextSerial: UInt32 = 1
    /// By slot.
    private(set) var records: [GatewayRecord?]
    private var slots: [String: Int]

    init(shardCount: Int, seriesLimit: Int) {
        self.shardCount = shardCount
        limit = max(1, seriesLimit / GatewayCells.seriesPerGateway)
        records = [GatewayRecord(name: "", serial: GatewaySeries.none.serial, shardCount: shardCount)]
        slots = ["": 0]
    }

    /// The handle of a Gateway; one that leads nowhere, hence to the overflow, for one beyond the limit.
    func series(of name: String) -> GatewaySeries {
        guard let slot = slots[LabelValue.clean(name)], let record = records[slot] else {
            return GatewaySeries(slot: .max, serial: 0)
        }
        return GatewaySeries(slot: UInt32(slot), serial: record.serial)
    }

    /// Takes the Gateways of a new table.
    mutating func gatewaysPublished(_ names: [String], at now: Int64) {
        let wanted = Set(names.map { LabelValue.clean($0) })
        for slot in records.indices.dropFirst() {
            guard let record = records[slot] else { continue }
            if wanted.contains(record.name) {
                records[slot]?.withdrawal = nil
            } else if record.withdrawal == nil {
                records[slot]?.withdrawal = Withdrawal(since: now)
            }
        }
        for name in wanted.subtracting(slots.keys).sorted() where slots.count <= limit {
            let slot = records.firstIndex { $0 == nil } ?? records.count
            if slot == records.count { records.append(nil) }
            records[slot] = GatewayRecord(name: name, serial: nextSerial, shardCount: shardCount)
            slots[name] = slot
            nextSerial += 1
        }
    }

    /// Counts a scrape, after which series whose grace is over are gone.
    mutating func scraped(at now: Int64) {
        for slot in records.indices {
            records[slot]?.withdrawal?.scrapes += 1
            if let record = records[slot], record.withdrawal?.isOver(at: now) ?? false {
                slots[record.name] = nil
                records[slot] = nil
            }
        }
    }
}

/// A Gateway that has series.
struct GatewayRecord: Sendable {
    let name: String
    let block: LabelBlock
    /// Tells the Gateway from others that had the slot before.
    let serial: UInt32
    /// The counters in each shard.
    let cells: [GatewayCells]
    /// Set while the series outlive the Gateway.
    var withdrawal: Withdrawal?

    init(name: String, serial: UInt32, shardCount: Int) {
        self.name = name
        self.serial = serial
        block = LabelBlock(names: ["gateway"], values: [name])
        cells = (0..<shardCount).map { _ in GatewayCells() }
    }
}
