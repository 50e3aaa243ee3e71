// Wingmirror · Apache-2.0

import Agent
import JSONSyntax
import OctetText

/// What the answers of an agent hold.
extension JSONValue {
    /// A whole number from 0; `nil` for anything else.
    var count: UInt64? {
        if case .integer(let number) = self, number >= 0 { UInt64(number) } else { nil }
    }

    /// A time as RFC 3339 has it, in nanoseconds since the Unix epoch; `nil` for anything else.
    var time: Int64? { stringValue.flatMap { InternetTime.nanoseconds($0) } }
}
