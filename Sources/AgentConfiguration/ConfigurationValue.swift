// Wingmirror · Apache-2.0

/// How a value of a configuration file is read, and how to say what was expected.
struct ConfigurationValue<Value> {
    /// What fits here, to be read after "expected".
    let expectation: String
    /// Reads a value; a failure without entries says that the node as a whole does not fit.
    let parse: (ConfigurationNode) -> Result<Value, ConfigurationMisfits>

    /// Makes a way to read values.
    init(expectation: String, parse: @escaping (ConfigurationNode) -> Result<Value, ConfigurationMisfits>) {
        self.expectation = expectation
        self.parse = parse
    }

    /// Reads as this does, then turns the value into another, which may fail.
    func map<Other>(_ expectation: String, _ transform: @escaping (Value) -> Other?) -> ConfigurationValue<Other> {
        ConfigurationValue<Other>(expectation: expectation) { node in
            parse(node).flatMap { value in transform(value).map { .success($0) } ?? .failure([]) }
        }
    }
}

/// The entries of a list or mapping that do not fit; empty when the value as a whole does not.
struct ConfigurationMisfits: Error, ExpressibleByArrayLiteral {
    /// One entry that does not fit.
    struct Misfit: Sendable {
        /// What is added to the key path, such as `[2]`.
        let suffix: String
        /// Where the entry begins.
        let position: (line: Int, column: Int)?
        /// What was expected, and what was found.
        let message: String

        /// Says that `node` is not what was expected.
        init(suffix: String, node: ConfigurationNode, expectation: String) {
            self.suffix = suffix
            position = node.position
            message = "expected \(expectation), found \(node.summary)"
        }
    }

    /// The entries.
    var misfits: [Misfit]

    /// Makes a list of entries that do not fit.
    init(arrayLiteral elements: Misfit...) {
        misfits = elements
    }
}

// MARK: - Scalars

extension ConfigurationValue where Value == Bool {
    /// `true` or `false`.
    static var flag: Self {
        Self(expectation: "true or false") { node in node.flag.map { .success($0) } ?? .failure([]) }
    }
}

extension ConfigurationValue where Value == String {
    /// Any text, empty too.
    static var text: Self {
        Self(expectation: "text") { node in node.text.map { .success($0) } ?? .failure([]) }
    }

    /// Text of at least one character; `what` names it.
    static func nonEmptyText(_ what: String) -> Self {
        text.map(what) { $0.isEmpty ? nil : $0 }
    }
}

extension ConfigurationValue where Value == Int {
    /// A whole number within a range.
    static func integer(in range: ClosedRange<Int>) -> Self {
        Self(expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)") { node in
            guard let number = node.number.flatMap({ Int($0) }), range.contains(number) else { return .failure([]) }
            return .success(number)
        }
    }
}

extension ConfigurationValue where Value == UInt16 {
    /// A port number.
    static var port: Self {
        ConfigurationValue<Int>.integer(in: 1...65_535).map("a port from 1 to 65535") { UInt16(exactly: $0) }
    }
}

extension ConfigurationValue where Value == Double {
    /// A number within a range.
    static func number(in range: ClosedRange<Double>) -> Self {
        Self(expectation: "a number from \(range.lowerBound) to \(range.upperBound)") { node in
            guard let number = node.number.flatMap({ Double($0) }), range.contains(number) else { return .failure([]) }
            return .success(number)
        }
    }

    /// A finite number above zero.
    static var positiveNumber: Self {
        Self(expectation: "a number above 0") { node in
            guard let number = node.number.flatMap({ Double($0) }), number > 0, number.isFinite else {
                return .failure([])
            }
            return .success(number)
        }
    }
}

extension ConfigurationValue where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static func oneOf(_ type: Value.Type) -> Self {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return ConfigurationValue<String>.text.map("one of \(words)") { Value(rawValue: $0) }
    }
}

// MARK: - Lists and mappings

extension ConfigurationValue {
    /// A list whose entries are all read in one way.
    static func list<Element>(of element: ConfigurationValue<Element>) -> Self where Value == [Element] {
        Self(expectation: "a list, each entry \(element.expectation)") { node in
            guard node.isSequence else { return .failure([]) }
            var values: [Element] = []
            var misfits: ConfigurationMisfits = []
            for (index, entry) in node.elements.enumerated() {
                switch element.parse(entry) {
                case .success(let value): values.append(value)
                case .failure:
                    misfits.misfits.append(.init(suffix: "[\(index)]", node: entry, expectation: element.expectation))
                }
            }
            return misfits.misfits.isEmpty ? .success(values) : .failure(misfits)
        }
    }
}

extension ConfigurationValue where Value == [String: String] {
    /// A mapping of text to text, such as labels.
    ///
    /// - Parameter example: What could stand there, for the message.
    /// - Returns: How such a mapping is read.
    static func textByKey(such example: String) -> Self {
        Self(expectation: "a mapping such as \(example)") { node in
            guard let entries = node.entries else { return .failure([]) }
            var values: [String: String] = [:]
            var misfits: ConfigurationMisfits = []
            for entry in entries {
                if let text = entry.value.text {
                    values[entry.key] = text
                } else {
                    let expectation = "text; put it in quotes"
                    misfits.misfits.append(.init(suffix: ".\(entry.key)", node: entry.value, expectation: expectation))
                }
            }
            return misfits.misfits.isEmpty ? .success(values) : .failure(misfits)
        }
    }
}
