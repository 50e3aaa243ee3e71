// Wingmirror · Apache-2.0

/// Work that can be done again and again, with what it needs prepared beforehand.
protocol Workload: ~Copyable {
    /// What the row is called.
    var label: String { get }
    /// How many items one run takes.
    var items: Int { get }
    /// How many octets one run takes in or gives out; 0 where that says nothing.
    var octets: Int { get }

    /// Does the work once, and returns how many items came out as they should: a figure for work left undone is none.
    mutating func run() throws -> Int
}

/// A workload that is referred to, so that those of different types make one table.
protocol Measurable: AnyObject {
    var label: String { get }
    var items: Int { get }
    var octets: Int { get }

    /// Does the work once, within the brackets of the measurement; named so that profilers can be told to look here.
    func measuredRun() throws -> Int
}

/// Holds a workload, and goes into it once for each run: what it does inside costs no check of exclusive access.
final class Row<Work: Workload & ~Copyable>: Measurable {
    private var work: Work

    init(_ work: consuming Work) {
        self.work = work
    }

    var label: String { work.label }
    var items: Int { work.items }
    var octets: Int { work.octets }

    @inline(never)
    func measuredRun() throws -> Int { try work.run() }
}

/// Work that could not be done, or was not done as it should.
struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
