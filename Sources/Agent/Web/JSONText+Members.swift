// Wingmirror · Apache-2.0

package import JSONSyntax
import TrafficMetrics

/// Members of objects, key and value in one call; what is `nil` is written as `null`.
extension JSONText {
    /// Writes a member whose value is a string.
    package mutating func member(_ name: String, string text: String?) {
        key(named: name)
        if let text { string(text) } else { null() }
    }

    /// Writes a member whose value is a whole number.
    package mutating func member(_ name: String, integer number: (some BinaryInteger)?) {
        key(named: name)
        if let number { integer(Int(clamping: number)) } else { null() }
    }

    /// Writes a member whose value is a number, to at least six digits, which is more than is ever shown.
    package mutating func member(_ name: String, number: Double?) {
        key(named: name)
        if let number { double(number.rounded(digits: 6)) } else { null() }
    }

    /// Writes a member whose value is a truth value.
    package mutating func member(_ name: String, bool value: Bool) {
        key(named: name)
        bool(value)
    }

    /// Writes a member whose value is a time, in nanoseconds since the Unix epoch.
    package mutating func member(_ name: String, time nanoseconds: Int64?) {
        key(named: name)
        if let nanoseconds { time(nanoseconds: nanoseconds) } else { null() }
    }

    /// Writes a member whose value is a list, an entry for each of `values`.
    package mutating func member<Value>(
        _ name: String,
        list values: some Sequence<Value>,
        _ write: (inout Self, Value) -> Void
    ) {
        key(named: name)
        beginList()
        for value in values { write(&self, value) }
        endList()
    }

    /// Writes a member whose value is a list of strings.
    package mutating func member(_ name: String, strings: some Sequence<String>) {
        member(name, list: strings) { $0.string($1) }
    }

    /// Writes a member whose value is an object.
    package mutating func member(_ name: String, _ write: (inout Self) -> Void) {
        key(named: name)
        object(write)
    }

    /// Writes an object.
    package mutating func object(_ write: (inout Self) -> Void) {
        beginObject()
        write(&self)
        endObject()
    }

    /// A document that is one object.
    package static func document(_ write: (inout Self) -> Void) -> [UInt8] {
        var json = JSONText()
        json.object(write)
        return json.octets
    }
}

extension Double {
    /// The nearest number with at least so many significant digits.
    fileprivate func rounded(digits: Int) -> Double {
        guard isFinite, self != 0 else { return self }
        var scale = 1.0
        var magnitude = self.magnitude
        while magnitude < 1, scale < 1e15 {
            magnitude *= 10
            scale *= 10
        }
        for _ in 1..<digits where scale * self.magnitude < 1e15 { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}
