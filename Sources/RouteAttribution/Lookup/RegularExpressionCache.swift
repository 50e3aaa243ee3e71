// Wingmirror · Apache-2.0

internal import Synchronization

/// The patterns of the tables in force, kept for the next ones: when one object changes, thousands of others do not.
///
/// A pattern never changes, so a table is the same whether its patterns were compiled for it or before. Only patterns that
/// tables hold are kept, which therefore take no memory of their own.
public final class RegularExpressionCache: Sendable {
    private struct State {
        var before: [String: RegularExpression] = [:]
        var now: [String: RegularExpression] = [:]
        /// `nil` for patterns that are too large together.
        var setsBefore: [[String]: RegularExpressionSet?] = [:]
        var setsNow: [[String]: RegularExpressionSet?] = [:]
        /// What the sets of now may occupy, in octets.
        var setMemory: Int64 = 0
    }

    private let state = Mutex(State())

    /// Makes a cache without patterns.
    public init() {}

    /// Ends the making of tables: patterns that none of them has are given up.
    public func tablesMade() {
        let dropped = state.withLock { state in
            let dropped = (state.before, state.setsBefore)
            state = State(before: state.now, setsBefore: state.setsNow)
            return dropped
        }
        // Given up outside of the lock.
        withExtendedLifetime(dropped) {}
    }

    /// The compiled pattern of a text, if some table has it.
    func known(_ text: String) -> RegularExpression? {
        state.withLock { $0.now[text] ?? $0.before[text] }
    }

    /// The pattern of a text, for a table; compiled now if no table had it.
    ///
    /// - Throws: Why it is none.
    func pattern(_ text: String) throws(RegularExpressionError) -> RegularExpression {
        let pattern: RegularExpression
        if let known = known(text) { pattern = known } else { pattern = try RegularExpression(text) }
        state.withLock { $0.now[text] = pattern }
        return pattern
    }

    /// What all sets of the tables in force may occupy, in octets: which states they have clients choose with their paths.
    static var setMemoryLimit: Int64 { 32 << 20 }

    /// The set of patterns, for a table; compiled now if no table had it.
    ///
    /// - Returns: `nil` where it would be too large, or too large with the sets that there are.
    func set(_ patterns: [RegularExpression]) -> RegularExpressionSet? {
        let texts = patterns.map(\.text)
        let memory = RegularExpressionSet.memory(of: patterns)
        let (now, before, hasRoom) = state.withLock {
            ($0.setsNow[texts], $0.setsBefore[texts], $0.setMemory + memory <= Self.setMemoryLimit)
        }
        if let now { return now }
        guard hasRoom else { return nil }
        let set = before ?? RegularExpressionSet(patterns)
        state.withLock { state in
            state.setsNow[texts] = .some(set)
            if set != nil { state.setMemory += memory }
        }
        return set
    }
}
