// Wingmirror · Apache-2.0

package import TCPReassembly

/// The most memory that the configured bounds allow, by what takes it.
package struct MemoryEstimate: Sendable, Equatable {
    /// One thing that takes memory.
    package struct Part: Sendable, Equatable {
        /// What it is.
        package var name: String
        /// The most octets it takes.
        package var octets: Int
    }

    /// What a connection may cost in all tables, while nothing of it waits.
    static let octetsPerConnection = 512
    /// Octets of the share of waiting octets for each connection that may wait: a block, as most hold one.
    static let octetsPerWaitingConnection = 2048
    /// What an exchange in progress costs in all tables, while nothing of its octets is kept: 430 as measured, with pipelines of 100.
    static let octetsPerExchange = 448
    /// What the keys of a connection cost that no connection has taken: of TLS 1.3 two secrets, with their place in the store.
    static let octetsPerKeys = 512
    /// What one line of a scrape costs: its counter, and its share of the labels' text.
    private static let octetsPerLine = 200

    /// The parts, the kernel's ring among them.
    package let parts: [Part]

    /// Estimates the parts.
    ///
    /// - Parameters:
    ///   - configuration: What is captured.
    ///   - reassembly: The bounds of connections and of what waits.
    ///   - lines: Lines of one scrape.
    package init(_ configuration: Configuration, _ reassembly: ReassemblyLimits, lines: Int) {
        let interfaces =
            switch configuration.capture.interfaces {
            case .named(let names): names.count
            case .automatic: 1
            }
        var parts = [
            Part(name: "kernel rings", octets: interfaces * configuration.capture.ringBytes.octets),
            Part(name: "connections", octets: reassembly.connections * Self.octetsPerConnection),
            Part(name: "bytes that wait", octets: reassembly.bufferedOctets),
            Part(name: "series", octets: lines * Self.octetsPerLine),
        ]
        let kept = configuration.capture.keep.bytes.octets
        if kept > 0 { parts.append(Part(name: "kept packets", octets: kept)) }
        self.parts = parts
    }

    /// All parts together.
    package var octets: Int { parts.reduce(0) { $0 + $1.octets } }
}
