// Wingmirror · Apache-2.0

/// A table of measurements: kinds of work that are worth comparing.
struct Scenario: Sendable {
    /// What the command line calls it.
    let name: String
    /// What is measured, for people.
    let summary: String
    /// What one of the things is called that the work is divided by.
    let item: String
    /// Makes the rows, the first of which is the one that others are compared with.
    ///
    /// Takes as long as it needs.
    let workloads: @Sendable (BenchmarkOptions) throws -> [any Measurable]

    /// All scenarios, from the packet to the page.
    static let all = [
        decode, reassembly, heads, streams, lookup, names, tableBuild, exposition, savefile,
    ]

    /// What each packet goes through.
    static let packetPath = [decode, reassembly, heads, streams, lookup, names]
}
