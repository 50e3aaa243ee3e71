// Wingmirror · Apache-2.0

/// What is wrong with one object.
struct ProblemList {
    /// How many problems of one object are told; more would say nothing new.
    static let limit = 20

    private(set) var problems: [ResourceError] = []

    var isEmpty: Bool { problems.isEmpty }

    mutating func add(_ path: FieldPath, _ message: String) {
        guard problems.count < Self.limit else { return }
        problems.append(ResourceError(path, message))
    }

    /// Adds a problem unless a requirement holds.
    mutating func require(_ holds: Bool, _ path: @autoclosure () -> FieldPath, _ message: @autoclosure () -> String) {
        if !holds { add(path(), message()) }
    }
}
