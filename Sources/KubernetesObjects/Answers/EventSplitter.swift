// Wingmirror · Apache-2.0

import JSONSyntax

/// Cuts the body of a watch into its events, which are one a line, wherever the body was cut on its way.
struct EventSplitter {
    /// How large one event may be, in octets.
    static let eventLimit = ListSplitter.itemLimit

    /// Events over the limit, which were passed over.
    private(set) var oversizedEvents = 0

    private var line: [UInt8] = []
    private var isOversized = false

    /// Whether part of an event is waiting for its rest.
    var hasPartOfEvent: Bool { !line.isEmpty || isOversized }

    /// Takes more of the body.
    ///
    /// - Parameters:
    ///   - octets: What came.
    ///   - emit: Called with each line that is complete.
    mutating func append(_ octets: [UInt8], _ emit: ([UInt8]) throws -> Void) rethrows {
        var rest = octets[...]
        while let end = rest.firstIndex(of: 0x0A) {
            keep(rest[..<end])
            rest = rest[(end + 1)...]
            try lineEnded(emit)
        }
        keep(rest)
    }

    /// Takes the count of the events that were passed over since the last time.
    mutating func takeOversized() -> Int {
        defer { oversizedEvents = 0 }
        return oversizedEvents
    }

    /// The body ended in good order: what waits may be an event without a line end.
    mutating func finish(_ emit: ([UInt8]) throws -> Void) rethrows {
        try lineEnded(emit)
    }

    private mutating func keep(_ octets: ArraySlice<UInt8>) {
        guard !isOversized else { return }
        guard line.count + octets.count <= Self.eventLimit else {
            isOversized = true
            line = []
            return
        }
        line += octets
    }

    private mutating func lineEnded(_ emit: ([UInt8]) throws -> Void) rethrows {
        defer { line.removeAll(keepingCapacity: true) }
        guard !isOversized else {
            isOversized = false
            oversizedEvents += 1
            return
        }
        guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) else { return }
        try emit(line)
    }
}
