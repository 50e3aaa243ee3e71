// Wingmirror · Apache-2.0

/// Does something that has to be over within a time.
///
/// - Parameters:
///   - limit: The time.
///   - body: What is done; it is cancelled when the time is over.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws; `APIFailure.timedOut` when the time was over first.
package func within<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw APIFailure.timedOut
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw APIFailure.timedOut }
        return first
    }
}
