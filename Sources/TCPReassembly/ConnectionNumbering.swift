// Wingmirror · Apache-2.0

/// The numbers that a table gives to its connections: 0, 1, 2 and so on, or every n-th where n tables share a capture, so
/// that no two connections of a capture have the same.
public struct ConnectionNumbering: Sendable, Hashable {
    private var next: Int
    private let step: Int

    /// Makes the numbers of one table.
    ///
    /// - Parameters:
    ///   - table: The number of the table among those that share the capture, from 0.
    ///   - count: How many tables share it.
    public init(table: Int = 0, of count: Int = 1) {
        precondition((0..<max(count, 1)).contains(table), "ConnectionNumbering: there is no table \(table) of \(count)")
        next = table
        step = max(count, 1)
    }

    /// The table, among those that share a capture, whose connection a number is.
    public static func table(of number: Int, among count: Int) -> Int {
        precondition(number >= 0, "ConnectionNumbering: no connection has the number \(number)")
        return number % max(count, 1)
    }

    /// The number of the next connection.
    mutating func take() -> Int {
        defer { next += step }
        return next
    }
}
